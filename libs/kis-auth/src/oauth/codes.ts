/** What a code of KIS asks of whoever receives it. */
export type KisAction =
  /** It worked, or what was asked for is so already. */
  | 'done'
  /** Passes by itself: again after a growing wait. */
  | 'retry'
  /** Too many calls in this second: again after 0.1 to 1.5 s, and slower from then on. */
  | 'slow-down'
  /** Too many tokens in this minute: nothing for 61 s, then look for the shared token first. */
  | 'wait-a-minute'
  /** A new access token, then once more. */
  | 'renew-token'
  /** A new approval key, once, then a new session. */
  | 'renew-approval-key'
  /** Another session holds the key, or a slot of a lost one: nothing for 60 to 90 s, and no new keys meanwhile. */
  | 'session-in-use'
  /** The session has as many registrations as it may: add no more. */
  | 'slots-full'
  /** App key or secret is missing or wrong: nothing mends that but another one. */
  | 'bad-key'
  /** The key is not of this server: real and virtual ones are issued separately. */
  | 'wrong-host'
  /** The account or the address may not do this. */
  | 'denied'
  /** This code, market or service does not exist here. */
  | 'unsupported'
  /** The request is malformed: a fault of ours. */
  | 'bug';

/**
 * Every code of the error tables of the portal, REST (`EGW`, `OPSQ`, `MCA`: `msg_cd`, at the token's address `error_code`) and
 * real-time server (`OPSP`: `msg_cd`). The HTTP status tells nothing: EGW00201 was seen with 500 and 200, EGW00123 with
 * 500, 401 and 200, EGW00133 with 403.
 */
const ACTIONS: Readonly<Record<KisAction, readonly string[]>> = {
  done: ['MCA00000', ...codes('OPSP', '0000-0003')],
  retry: [
    ...codes('EGW', '00001-00002', '00202-00203', '00300', '00301-00302'),
    ...codes('OPSQ', '0001', '0003-0011', '1002', '2003', '3001-3004'),
    ...codes('OPSP', '0007', '8999'),
  ],
  'slow-down': codes('EGW', '00201', '00215'),
  'wait-a-minute': codes('EGW', '00133'),
  'renew-token': codes('EGW', '00121-00123'),
  'renew-approval-key': codes('OPSP', '0011'),
  'session-in-use': codes('OPSP', '8996'),
  'slots-full': codes('OPSP', '0008'),
  'bad-key': [...codes('EGW', '00102-00105', '00304'), ...codes('OPSP', '0010')],
  'wrong-host': codes('EGW', '02004'),
  // OPSP0009: the account has no right to this stream.
  denied: [...codes('EGW', '00003-00004', '00206-00207', '00303'), ...codes('OPSP', '0009')],
  unsupported: [
    ...codes('EGW', '00210', '00213'),
    ...codes('OPSQ', '0002', '2000-2002'),
    ...codes('OPSP', '8991-8992'),
    'MCA05918',
  ],
  bug: [
    ...codes('EGW', '00101', '00112-00118', '00131-00132', '00204-00205', '00208-00209'),
    ...codes('OPSQ', '9995-9999'),
    ...codes('OPSP', '8993-8995', '8997-8998', '9990-9999'),
  ],
};

const ACTION_OF = new Map(
  Object.entries(ACTIONS).flatMap(([action, all]) => all.map((code) => [code, action as KisAction])),
);

/** What to do about a code; `undefined` for one that no table lists, which is best treated as `retry`. */
export function kisAction(code: string): KisAction | undefined {
  return ACTION_OF.get(code);
}

/** The codes of the ranges, which keep their width: `codes('EGW', '00101-00103')`. */
function codes(family: string, ...ranges: readonly string[]): readonly string[] {
  return ranges.flatMap((range) => {
    const [first = '', last = first] = range.split('-');
    const count = Number(last) - Number(first) + 1;
    return Array.from({ length: count }, (_, n) => family + String(Number(first) + n).padStart(first.length, '0'));
  });
}
