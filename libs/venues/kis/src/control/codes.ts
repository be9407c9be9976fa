/**
 * What to do about an answer of the real-time server.
 *
 * - `active`: the registration stands; keep its key.
 * - `already-active`: so it did before (usual after a reconnect); treat as success.
 * - `freed`: the slot is free. `already-freed`: there was none to free; treat as success.
 * - `retry-later`: again after a while, a few times.
 * - `back-off`: the server lacks resources; wait longer before anything else.
 * - `stop-adding`: the session is full; the registrations so far are the limit. Do not loop.
 * - `not-entitled`: this account may not have that stream, or it was not let through; again only after a long while.
 * - `drop-symbol`: the stream or the code does not exist.
 * - `new-approval-key`: issue a new approval key once and reconnect with backoff.
 * - `already-in-use`: another session holds the app key, or a dead one still does; wait 60 to 90 s, issue nothing.
 * - `fatal`: configuration or program is wrong; trying again cannot help.
 */
export type ControlAction =
  | 'active'
  | 'already-active'
  | 'freed'
  | 'already-freed'
  | 'retry-later'
  | 'back-off'
  | 'stop-adding'
  | 'not-entitled'
  | 'drop-symbol'
  | 'new-approval-key'
  | 'already-in-use'
  | 'fatal';

interface ControlCode {
  readonly code: string;
  /** How the venue words it, up to what differs. The code decides; without one these words do. */
  readonly words: string;
  readonly action: ControlAction;
}

/**
 * The code table of the real-time server (KIS portal; actions from what clients report). Words are matched from the top, so
 * the longer ones stand above those they begin with.
 */
const CODES: readonly ControlCode[] = [
  row('OPSP0000', 'SUBSCRIBE SUCCESS', 'active'),
  row('OPSP0001', 'UNSUBSCRIBE SUCCESS', 'freed'),
  row('OPSP0002', 'ALREADY IN SUBSCRIBE', 'already-active'),
  row('OPSP0003', 'UNSUBSCRIBE ERROR', 'already-freed'),
  row('OPSP0007', 'SUBSCRIBE INTERNAL ERROR', 'retry-later'),
  row('OPSP0008', 'MAX SUBSCRIBE OVER', 'stop-adding'),
  row('OPSP0009', 'SUBSCRIBE ERROR : mci send failed', 'not-entitled'),
  row('OPSP0010', 'SUBSCRIBE WARNING : invalid appkey', 'fatal'),
  row('OPSP0011', 'invalid approval', 'new-approval-key'),
  row('OPSP8991', 'invalid tr_id', 'drop-symbol'),
  row('OPSP8992', 'invalid tr_key', 'drop-symbol'),
  row('OPSP8993', 'JSON PARSING ERROR : tr_key', 'fatal'),
  row('OPSP8994', 'JSON PARSING ERROR : personalseckey', 'fatal'),
  row('OPSP8995', 'JSON PARSING ERROR : appsecret', 'fatal'),
  row('OPSP8996', 'ALREADY IN USE appkey', 'already-in-use'),
  row('OPSP8997', 'JSON PARSING ERROR : tr_type', 'fatal'),
  row('OPSP8998', 'JSON PARSING ERROR : custtype', 'fatal'),
  row('OPSP8999', 'resource not available', 'back-off'),
  // 9990 to 9999: tr_key, input or body not found, internal error, app key, resource, custtype, header, invalid JSON.
  ...Array.from({ length: 10 }, (_, last) => row(`OPSP999${last}`, 'JSON PARSING ERROR', 'fatal')),
];

const BY_CODE = new Map(CODES.map((one) => [one.code, one]));

/**
 * The meaning of an answer: by its code, else by its words. An answer that is in no table stands for what `rt_cd` says: 0 granted,
 * 9 an error of the session, anything else worth a later try.
 */
export function controlAction(msgCode: string, words: string, rtCode: unknown): ControlAction {
  const known = BY_CODE.get(msgCode) ?? CODES.find((one) => beginsWith(words, one.words));
  if (known !== undefined) return known.action;
  if (rtCode === '9') return 'back-off';
  if (rtCode !== '0') return 'retry-later';
  return beginsWith(words, 'UNSUB') ? 'freed' : 'active';
}

function beginsWith(words: string, start: string): boolean {
  return words.trimStart().toUpperCase().startsWith(start.toUpperCase());
}

function row(code: string, words: string, action: ControlAction): ControlCode {
  return { code, words, action };
}
