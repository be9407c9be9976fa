import { parseDecimal } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../src/conformance/reading.js';
import { conformanceRules, type ConformanceRule } from '../src/conformance/rules.js';
import { describeVenueConformance } from '../src/conformance/suite.js';
import type {
  FrameReading,
  FrameRecord,
  RegistrationPolicy,
  VenueDefaults,
  VenueDriver,
  VenueSession,
} from '../src/driver.js';
import type { Venue } from '../src/venue.js';
import { lineSamples, lineVenue } from './line-venue.js';

describeVenueConformance(lineVenue, lineSamples);

const withDriver = (change: Partial<VenueDriver>): Venue => ({
  ...lineVenue,
  driver: { ...lineVenue.driver, ...change },
});
const withDefaults = (change: Partial<VenueDefaults>): Venue =>
  withDriver({ defaults: { ...lineVenue.driver.defaults, ...change } });
const withSession = (change: (session: VenueSession) => Partial<VenueSession>): Venue =>
  withDriver({
    openSession(options) {
      const session = lineVenue.driver.openSession(options);
      return { ...session, ...change(session) };
    },
  });
const withRecords = (change: (record: FrameRecord) => FrameRecord): Venue =>
  withSession((session) => ({
    read(frame, receivedAt) {
      const reading = session.read(frame, receivedAt);
      return reading.kind === 'data' ? { kind: 'data', records: reading.records.map(change) } : reading;
    },
  }));
const { reconnect } = lineVenue.driver.defaults;
let readings = 0;

/** A way to break the contract, and words of the rules that must notice it. */
const faults: readonly (readonly [fault: string, venue: Venue, caughtBy: readonly string[]])[] = [
  ['a cap below the floor', withDefaults({ reconnect: { ...reconnect, capMs: 50 } }), ['floor and a cap']],
  ['a delay that never grows', withDefaults({ reconnect: { ...reconnect, factor: 1 } }), ['floor and a cap']],
  [
    'a keepalive at the idle limit',
    withDefaults({ keepAlive: { everyMs: 290, idleLimitMs: 300 } }),
    ['keeps the connection alive'],
  ],
  ['death before the first keepalive', withDefaults({ silenceTimeoutMs: 90 }), ['keeps the connection alive']],
  [
    'a silence by default that no user may set',
    withDefaults({ atLeast: { silenceTimeoutMs: 300, reconnectDelayMs: 1 } }),
    ['keeps the connection alive'],
  ],
  [
    'a ping that silence overtakes',
    withDefaults({ keepAlive: { everyMs: 100, idleLimitMs: 300, pongTimeoutMs: 200 } }),
    ['keeps the connection alive'],
  ],
  ['a limit of no attempts', withDefaults({ connectLimit: { attempts: 0, perMs: 1000 } }), ['lets one address begin']],
  ['a limit in no time', withDefaults({ connectLimit: { attempts: 5, perMs: 0 } }), ['lets one address begin']],
  ['no time for a first record', withDefaults({ firstRecordWithinMs: 0 }), ['time for its first record']],
  ['one quiet stream before all', withDefaults({ staleAfterMs: 200 }), ['time for its first record']],
  ['a default depth that is not offered', withDefaults({ bookDepth: 7 }), ['book depths']],
  ['depths in no order', withDefaults({ bookDepths: [5, 1] }), ['book depths']],
  [
    'hours without a connection in which data comes',
    withDriver({ isConnectionWanted: () => false }),
    ['is connected while data is expected'],
  ],
  [
    'a next session in the past',
    withDriver({ dataExpectedFrom: (at) => at - 1n }),
    ['is connected while data is expected'],
  ],
  [
    'a next session without data',
    withDriver({ isDataExpected: () => false, dataExpectedFrom: (at) => at + 1n }),
    ['is connected while data is expected'],
  ],
  [
    'no data possible when some is expected',
    withDriver({ mayHaveSent: () => undefined }),
    ['may have sent data whenever it is expected'],
  ],
  [
    'more of a stretch than there is',
    withDriver({ mayHaveSent: ({ from, to }) => ({ from: from === to ? from : from - 1n, to }) }),
    ['may have sent data whenever it is expected'],
  ],
  [
    'halts of symbols that nobody subscribed',
    withSession((session) => ({
      read: (frame, receivedAt) => ({
        ...session.read(frame, receivedAt),
        trading: [{ symbol: 'CCC', isHalted: true, detail: 'halted' }],
      }),
    })),
    ['valid events', 'heartbeats'],
  ],
  ['a web page for a socket', withDefaults({ websocketUrl: 'https://line.example/' }), ['URLs']],
  ['symbols in lower case', withDriver({ parseSymbol: (raw) => raw.toLowerCase() }), ['spells the sample symbols']],
  ['a spelling that grows', withDriver({ parseSymbol: (raw) => `${raw}!` }), ['its own spelling']],
  [
    'an error of another kind',
    withDriver({
      parseSymbol: () => {
        throw new RangeError('no');
      },
    }),
    ['its own spelling'],
  ],
  ['registrations without a policy', withSession(() => ({ registrations: [] })), ['one by one']],
  ['a stream asked for without end', registering({ retries: 0 }), ['one by one']],
  ['a stream asked for at once again', registering({ floorMs: 50 }), ['one by one']],
  [
    'other registrations than it opens with',
    registering({}, 'SUBSCRIBE AAA/tick'),
    ['one by one', 'full subscription'],
  ],
  ['a request without symbols', withSession(() => ({ opening: ['SUBSCRIBE'] })), ['full subscription']],
  ['another venue’s name in its events', withRecords(renamed), ['valid events']],
  ['data of unknown streams as events', withDriver({ openSession: openForEverything }), ['not subscribed']],
  ['a reading that depends on the one before', withSession(forgetful), ['the same way every time']],
  ['a state that all sessions share', withSession(counting), ['keeps sessions apart']],
  ['heartbeats taken for data', withSession((session) => ({ read: heartbeatsAsData(session) })), ['heartbeats']],
  [
    'a throw on what it does not know',
    withSession((session) => ({ read: throwing(session) })),
    ['whatever bytes', 'damaged frame'],
  ],
  ['an invalid price let through', withRecords(withoutCheck), ['damaged frame']],
  ['no simulator', { ...lineVenue, loadSimulator: () => Promise.reject(new Error('none')) }, ['simulator']],
];

/** Each stream by itself, 100 ms apart; asked for again as it is said. */
function registering(change: Partial<RegistrationPolicy['retry']>, opening?: string): Venue {
  const retry = { floorMs: 100, capMs: 1_000, factor: 2, jitter: 0, retries: 3, ...change };
  const { defaults } = lineVenue.driver;
  return withDriver({
    defaults: { ...defaults, openingEveryMs: 100, registration: { answerWithinMs: 100, retry } },
    openSession(options) {
      const registrations = options.subscriptions.map((subscription) => {
        const name = `${subscription.symbol}/${subscription.channel}`;
        return { name, subscription, request: `SUBSCRIBE ${name}`, release: `UNSUBSCRIBE ${name}` };
      });
      const all = registrations.map(({ request }) => request);
      return {
        ...lineVenue.driver.openSession(options),
        registrations,
        opening: opening === undefined ? all : [opening],
      };
    },
  });
}

function renamed(record: FrameRecord): FrameRecord {
  return record.outcome === 'event' ? { ...record, event: { ...record.event, exchange: 'other' } } : record;
}

function openForEverything(options: Parameters<VenueDriver['openSession']>[0]): VenueSession {
  const session = lineVenue.driver.openSession(options);
  return {
    ...session,
    read: lineVenue.driver.openSession({ ...options, subscriptions: lineSamples.subscriptions }).read,
  };
}

function forgetful(session: VenueSession): Partial<VenueSession> {
  const seen = new Set<string>();
  const read: VenueSession['read'] = (frame, receivedAt) => {
    const isRepeated = seen.has(String(frame));
    seen.add(String(frame));
    return isRepeated ? { kind: 'control' } : session.read(frame, receivedAt);
  };
  return { read };
}

function counting(session: VenueSession): Partial<VenueSession> {
  const read: VenueSession['read'] = (frame, receivedAt): FrameReading => {
    readings += 1;
    const reading = session.read(frame, receivedAt);
    return reading.kind === 'control' ? { kind: 'control', reply: `reading ${readings}` } : reading;
  };
  return { read };
}

function heartbeatsAsData(session: VenueSession): VenueSession['read'] {
  return (frame, receivedAt) => {
    const reading = session.read(frame, receivedAt);
    return reading.kind === 'control' ? { kind: 'data', records: [{ outcome: 'ignored', symbol: '' }] } : reading;
  };
}

function throwing(session: VenueSession): VenueSession['read'] {
  return (frame, receivedAt) => {
    const reading = session.read(frame, receivedAt);
    const [record] = reading.kind === 'data' ? reading.records : [];
    if (record?.outcome === 'rejected') throw record.error;
    if (record?.outcome === 'ignored' && record.symbol.length !== 3) throw new Error('unknown');
    return reading;
  };
}

/** What a venue without `validTick` would make of a trade at a price below zero. */
function withoutCheck(record: FrameRecord): FrameRecord {
  if (record.outcome !== 'rejected') return record;
  return {
    outcome: 'event',
    event: {
      kind: 'tick',
      exchange: 'line',
      symbol: 'AAA',
      price: parseDecimal('-10.5'),
      volume: parseDecimal('3'),
      timestamp: RECEIVED_AT,
      change: undefined,
      changeRate: undefined,
      side: undefined,
      tradeId: '1',
      receivedTimestamp: RECEIVED_AT,
      streamType: undefined,
    },
  };
}

function ruleNamed(words: string): ConformanceRule {
  const [rule, ...others] = conformanceRules.filter(({ title }) => title.includes(words));
  if (rule === undefined || others.length > 0) throw new Error(`"${words}" names ${others.length + 1} rules, or none`);
  return rule;
}

describe('the conformance suite', () => {
  it.each(faults)('catches %s', async (_fault, venue, caughtBy) => {
    for (const words of caughtBy) {
      const rule = ruleNamed(words);
      await expect(async () => rule.check(venue, lineSamples), rule.title).rejects.toThrow();
    }
  });

  it('takes a venue that wants no pings and has pauses of its own', async () => {
    const { keepAlive, staleAfterMs, ...defaults } = lineVenue.driver.defaults;
    const quiet = withDriver({ defaults });
    for (const { check } of conformanceRules) await check(quiet, lineSamples);
    expect([keepAlive, staleAfterMs]).not.toContain(undefined);
  });

  it('is not satisfied by samples that leave a subscription out', () => {
    expect(() =>
      ruleNamed('valid events').check(lineVenue, { ...lineSamples, data: lineSamples.data.slice(1) }),
    ).toThrow();
  });
});
