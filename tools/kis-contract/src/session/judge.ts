import { kisAction } from '@aipx/kis-auth';
import { differs, firstOf, judged, notSeen, ok, type Finding } from '../findings.ts';
import { nameOf, type Registration } from './request.ts';
import type { TimedAnswer, TimedHeartbeat } from './session.ts';

const CIPHER_KEY_LENGTH = 32;
const IV_LENGTH = 16;
/** How far the venue's clock may be from ours. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Every registration with OPSP0000. */
export function judgeSubscription(asked: readonly Registration[], answers: readonly TimedAnswer[]): readonly Finding[] {
  const granted = answers.filter(({ msgCd, rtCd }) => msgCd === 'OPSP0000' && rtCd === '0');
  const slowest = Math.max(0, ...granted.map(({ afterMs }) => afterMs));
  const came = `OPSP0000 for all ${asked.length}, each within ${slowest} ms`;
  const faults = faultsOf(asked, answers, 'OPSP0000');
  return [
    judged('subscription.answer', 'rt_cd "0" and OPSP0000 for each registration', faults, came),
    judgeCipher(granted),
  ];
}

export function judgeUnsubscription(asked: readonly Registration[], answers: readonly TimedAnswer[]): Finding {
  const faults = faultsOf(asked, answers, 'OPSP0001');
  // Without a code the driver goes by these words.
  const others = answers.filter(({ msgCd, words }) => msgCd === 'OPSP0001' && !words.startsWith('"UNSUB'));
  faults.push(...others.map(({ words }) => `OPSP0001 with the words ${words}`));
  return judged(
    'unsubscription.answer',
    'rt_cd "0", OPSP0001 and words that begin with UNSUB for each registration',
    faults,
    `OPSP0001 for all ${asked.length}`,
  );
}

export function judgeCodes(answers: readonly TimedAnswer[], unreadable: readonly string[]): Finding {
  const codes = [...new Set(answers.map(({ msgCd }) => msgCd))];
  const unknown = answers.filter(({ msgCd }) => kisAction(msgCd) === undefined);
  const faults = [...unknown.map(({ msgCd, words }) => `${msgCd} ${words}`), ...unreadable];
  if (codes.length + unreadable.length === 0) return notSeen('codes.control', 'the real-time server answered nothing');
  return judged('codes.control', 'codes of the table only', [...new Set(faults)], codes.join(', '));
}

export function judgeHeartbeats(heartbeats: readonly TimedHeartbeat[], from: number, to: number, limitMs: number) {
  return [judgeForm(heartbeats), judgeInterval(heartbeats, from, to, limitMs)];
}

function judgeCipher(granted: readonly TimedAnswer[]): Finding {
  if (granted.length === 0) return notSeen('subscription.cipher', 'no registration was granted');
  const faults = granted.flatMap(({ trId, encrypt, cipherKey, iv }) => [
    ...(isText(cipherKey, CIPHER_KEY_LENGTH) ? [] : [`${trId} with ${sizeOf(cipherKey)} as key`]),
    ...(isText(iv, IV_LENGTH) ? [] : [`${trId} with ${sizeOf(iv)} as iv`]),
    ...(encrypt === 'N' ? [] : [`${trId} with encrypt ${encrypt === 'Y' ? 'Y' : 'of another value'}`]),
  ]);
  return judged(
    'subscription.cipher',
    `encrypt N, a key of ${CIPHER_KEY_LENGTH} and an iv of ${IV_LENGTH} ASCII characters with each OPSP0000`,
    faults,
    'key and iv with each, encrypt N',
  );
}

function faultsOf(asked: readonly Registration[], answers: readonly TimedAnswer[], right: string): string[] {
  const refused = answers.filter(({ msgCd, rtCd }) => msgCd !== right || rtCd !== '0');
  const faults = refused.map(({ trId, code, rtCd, msgCd, words }) => {
    const subject = trId === undefined ? 'the session' : nameOf({ trId, code: code ?? '' });
    return `${subject}: rt_cd "${rtCd}" ${msgCd} ${words}`;
  });
  const answered = new Set(answers.map(({ trId, code }) => nameOf({ trId: trId ?? '', code: code ?? '' })));
  const silent = asked.map(nameOf).filter((name) => !answered.has(name));
  if (silent.length > 0) faults.push(`no answer for ${firstOf(silent)}`);
  return faults;
}

function judgeForm(heartbeats: readonly TimedHeartbeat[]): Finding {
  if (heartbeats.length === 0) return notSeen('pingpong.form', 'no PINGPONG came');
  const faults = heartbeats.flatMap(({ datetime, hasBody, at }) => {
    const [, year, month, day, hour, minute, second] =
      (typeof datetime === 'string' && /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(datetime)) || [];
    if (year === undefined) return ['datetime of another form'];
    const sent = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}+09:00`);
    const apart = Math.round(Math.abs(at - sent) / 1000);
    return [
      ...(Math.abs(at - sent) <= CLOCK_TOLERANCE_MS ? [] : [`a datetime that is ${apart} s from our clock`]),
      ...(hasBody ? ['a body'] : []),
    ];
  });
  return judged(
    'pingpong.form',
    'header.datetime as YYYYMMDDHHMMSS of Korea, within a minute of our clock, and no body',
    [...new Set(faults)],
    `datetime in Korea time, no body`,
  );
}

function judgeInterval(heartbeats: readonly TimedHeartbeat[], from: number, to: number, limitMs: number): Finding {
  const listened = `${seconds(to - from)} s`;
  const expected = `one about every 10 s, never more than ${seconds(limitMs)} s without one (KIS_SILENCE_TIMEOUT)`;
  const moments = [from, ...heartbeats.map(({ at }) => at), to];
  const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] as number));
  const longest = Math.max(...pauses);
  const count = heartbeats.length === 0 ? 'none' : String(heartbeats.length);
  const came = `${count} in ${listened}, at most ${seconds(longest)} s without one`;
  if (longest > limitMs) return differs('pingpong.interval', expected, came);
  if (heartbeats.length === 0) return notSeen('pingpong.interval', `${came}; too short to tell`);
  return ok('pingpong.interval', came);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function isText(value: unknown, length: number): boolean {
  return typeof value === 'string' && value.length === length && /^[!-~]*$/.test(value);
}

function sizeOf(value: unknown): string {
  return typeof value === 'string' ? `${value.length} characters` : 'nothing';
}
