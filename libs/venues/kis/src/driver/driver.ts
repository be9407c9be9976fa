import type { VenueDriver } from '@aipx/venue';
import { COMES_LATE, SessionCalendar } from '../calendar/calendar.js';
import type { Decipher } from '../frame/cipher.js';
import type { Segment } from '../layout/streams.js';
import { EXCHANGE } from '../record/exchange.js';
import { BOOK_DEPTH } from '../record/order-book.js';
import { VolumeMemory } from './memory.js';
import { KisSession } from './session.js';
import { spread } from './spread.js';
import { parseSymbol } from './symbols.js';

export interface KisDriverOptions {
  /** Where the symbols are followed: one segment for all. @default KRX */
  readonly segment?: Segment;
  /** @default every weekday trades */
  readonly calendar?: SessionCalendar;
  /**
   * Whether to follow halts and changes of session, one registration a symbol. The virtual server does not have them.
   *
   * @default true
   */
  readonly marketOperations?: boolean;
  /** Whether to be connected from shortly before a day's first session until shortly after its last only. @default false */
  readonly sessionsOnly?: boolean;
  /** Needed for encrypted frames only, which no stream of market data has. */
  readonly decipher?: Decipher;
}

/** Time for a new token, for a key that another process or a lost session still holds, and for 41 registrations. */
const CONNECTED_BEFORE = 10n * 60n * 1_000_000_000n;

/** Korea Investment & Securities: trades and 10-level books of KRX and Nextrade stocks, 41 registrations a key. */
export function kisDriver({
  segment = 'KRX',
  calendar = new SessionCalendar(),
  marketOperations = true,
  sessionsOnly = false,
  decipher,
}: KisDriverOptions = {}): VenueDriver {
  return {
    id: EXCHANGE,
    defaults: {
      // Plain ws in every official source.
      websocketUrl: 'ws://ops.koreainvestment.com:21000/tryitout',
      apiUrl: 'https://openapi.koreainvestment.com:9443',
      // Hammering locked a key's slot for hours (2026-05-13); a quiet 18 to 20 s recovered.
      reconnect: { floorMs: 20_000, capMs: 300_000, factor: 2, jitter: 0.2, retries: 0 },
      // Endless connecting has address and key blocked (the portal's notice of 2026-02-24); the rule has no number.
      connectLimit: { attempts: 1, perMs: 1_000 },
      // No published number; official samples wait 0.1 s or more.
      openingEveryMs: 100,
      // Answers come within the second; nothing is documented of requests that get none. Endless registering has address and
      // key blocked (the notices of 2026-02-24 and 2026-05-18; no number): six further requests of a stream in five minutes.
      registration: {
        answerWithinMs: 10_000,
        retry: { floorMs: 5_000, capMs: 300_000, factor: 2, jitter: 0.2, retries: 6 },
      },
      // PINGPONG comes about every 10 s, also when nothing is traded; pings of ours got connections dropped.
      silenceTimeoutMs: 30_000,
      // Two heartbeats may be late, and nobody is let in again sooner.
      atLeast: { silenceTimeoutMs: 25_000, reconnectDelayMs: 20_000 },
      // 41 registrations take four seconds to send.
      firstRecordWithinMs: 60_000,
      // A volatility interruption lasts two minutes, and one may follow the other.
      staleAfterMs: 600_000,
      bookDepths: [BOOK_DEPTH],
      bookDepth: BOOK_DEPTH,
    },
    parseSymbol,
    spread: (subscriptions, keys) => spread(subscriptions, keys, marketOperations),
    answersSubscriptions: true,
    newMemory: () => new VolumeMemory(calendar),
    isDataExpected: (at) => calendar.isDataExpected(segment, at),
    mayHaveSent: (stretch) => calendar.possibleWithin(segment, stretch),
    isSteady: (channel, at) => calendar.isSteady(segment, channel, at),
    dataExpectedFrom: (at) => calendar.nextSession(segment, at)?.from,
    ...(sessionsOnly && {
      isConnectionWanted: (at) => calendar.isAroundSessions(segment, at, CONNECTED_BEFORE, COMES_LATE),
    }),
    openSession: (options) =>
      new KisSession({ ...options, segment, calendar, marketOperations, ...(decipher && { decipher }) }),
  };
}
