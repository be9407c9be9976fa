import { MarketDataError } from '@aipx/market-model';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { VenueDriver } from '../driver.js';
import type { Venue } from '../venue.js';
import { damagedFrame } from './damage.js';
import { expectSound, openSession, RECEIVED_AT, recordsOf } from './reading.js';
import type { VenueSamples } from './samples.js';

/** One sentence of the contract, and the check that fails where a venue breaks it. */
export interface ConformanceRule {
  readonly title: string;
  check(venue: Venue, samples: VenueSamples): void | Promise<void>;
}

const FUZZ_RUNS = { numRuns: 500 };
const FORTNIGHT_MINUTES = 14 * 24 * 60;

export const conformanceRules: readonly ConformanceRule[] = [
  {
    title: 'waits between a floor and a cap before it reconnects, longer each time',
    check({ driver }) {
      const { floorMs, capMs, factor, jitter, retries } = driver.defaults.reconnect;
      expect(floorMs).toBeGreaterThan(0);
      expect(capMs).toBeGreaterThan(floorMs);
      expect(factor).toBeGreaterThan(1);
      expect(jitter >= 0 && jitter <= 1, `jitter ${jitter} is a share`).toBe(true);
      expect(Number.isInteger(retries) && retries >= 0, `retries ${retries} is a count`).toBe(true);
    },
  },
  {
    title: 'says how many connections the venue lets one address begin, and in what time',
    check({ driver }) {
      const { attempts, perMs } = driver.defaults.connectLimit;
      expect(Number.isInteger(attempts) && attempts > 0, `${attempts} attempts are a count`).toBe(true);
      expect(perMs).toBeGreaterThan(0);
    },
  },
  {
    title: 'keeps the connection alive twice within the idle limit, and waits out one keepalive before it is dead',
    check({ driver }) {
      const { keepAlive, silenceTimeoutMs } = driver.defaults;
      expect(silenceTimeoutMs).toBeGreaterThan(0);
      expect(silenceTimeoutMs).toBeGreaterThanOrEqual(driver.defaults.atLeast?.silenceTimeoutMs ?? 0);
      if (keepAlive === undefined) return;
      const { everyMs, idleLimitMs, pongTimeoutMs } = keepAlive;
      expect(everyMs).toBeGreaterThan(0);
      expect(everyMs).toBeLessThan(idleLimitMs / 2);
      expect(silenceTimeoutMs).toBeGreaterThan(everyMs);
      if (pongTimeoutMs === undefined) return;
      expect(pongTimeoutMs).toBeGreaterThan(0);
      expect(pongTimeoutMs, 'an unanswered ping is noticed sooner than silence').toBeLessThan(silenceTimeoutMs);
    },
  },
  {
    title: 'gives a stream time for its first record, and more silence than a whole connection before it is at fault',
    check({ driver }) {
      const { firstRecordWithinMs, silenceTimeoutMs, staleAfterMs = Infinity } = driver.defaults;
      expect(firstRecordWithinMs).toBeGreaterThan(0);
      expect(staleAfterMs).toBeGreaterThan(silenceTimeoutMs);
    },
  },
  {
    title: 'offers book depths in ascending order, its default among them',
    check({ driver }) {
      const { bookDepth, bookDepths } = driver.defaults;
      expect(bookDepths).toContain(bookDepth);
      expect(bookDepths).toEqual([...new Set(bookDepths)].sort((a, b) => a - b));
      for (const depth of bookDepths) expect(Number.isInteger(depth) && depth > 0, `depth ${depth}`).toBe(true);
    },
  },
  {
    title: 'has URLs of the right kind',
    check({ driver }) {
      expect(new URL(driver.defaults.websocketUrl).protocol).toMatch(/^wss?:$/);
      expect(new URL(driver.defaults.apiUrl).protocol).toMatch(/^https?:$/);
    },
  },
  {
    title: 'is connected while data is expected, and names a later time at which it is expected next',
    check({ driver }) {
      const { isDataExpected = () => true, isConnectionWanted = () => true } = driver;
      for (let minutes = 0; minutes < FORTNIGHT_MINUTES; minutes += 7) {
        const at = RECEIVED_AT + BigInt(minutes) * 60_000_000_000n;
        if (isDataExpected(at)) expect(isConnectionWanted(at), `connected at ${at}`).toBe(true);
        const next = driver.dataExpectedFrom?.(at);
        if (next === undefined) continue;
        expect(next).toBeGreaterThan(at);
        expect(isDataExpected(next), `data at ${next}, next to ${at}`).toBe(true);
      }
    },
  },
  {
    title: 'may have sent data whenever it is expected to, and names no more of a stretch than there is',
    check({ driver: { isDataExpected = () => true, mayHaveSent = (stretch) => stretch } }) {
      for (let minutes = 0; minutes < FORTNIGHT_MINUTES; minutes += 31) {
        const at = RECEIVED_AT + BigInt(minutes) * 60_000_000_000n;
        const instant = mayHaveSent({ from: at, to: at });
        if (isDataExpected(at)) expect(instant, `data at ${at}`).toEqual({ from: at, to: at });
        const day = { from: at, to: at + 86_400_000_000_000n };
        const { from, to } = mayHaveSent(day) ?? day;
        expect([from >= day.from, from <= to, to <= day.to], `the stretch from ${at}`).toEqual([true, true, true]);
      }
    },
  },
  {
    title: 'spells the sample symbols as the venue does',
    check({ driver }, { symbols }) {
      expect(symbols.map(([raw]) => driver.parseSymbol(raw))).toEqual(symbols.map(([, spelled]) => spelled));
    },
  },
  {
    title: 'leaves its own spelling of a symbol as it is, and refuses anything else with CONFIG_SYMBOL',
    check({ driver }, { symbols }) {
      const written = symbols.flat();
      const nearSymbol = fc
        .tuple(fc.constantFrom(...written), fc.nat(), fc.string({ maxLength: 2 }))
        .map(([symbol, at, text]) => {
          const split = at % (symbol.length + 1);
          return symbol.slice(0, split) + text + symbol.slice(split + 1);
        });
      fc.assert(
        fc.property(fc.oneof(fc.constantFrom(...written), nearSymbol, fc.string({ unit: 'binary' })), (raw) => {
          const spelled = symbolOrRefusal(driver, raw);
          if (spelled !== undefined) expect(driver.parseSymbol(spelled)).toBe(spelled);
        }),
        FUZZ_RUNS,
      );
    },
  },
  {
    title: 'opens every connection with the full subscription, always in the same words',
    check({ driver }, { subscriptions }) {
      const { opening } = openSession(driver, subscriptions);
      for (const { symbol } of subscriptions) expect(opening.join('\n')).toContain(symbol);
      expect(openSession(driver, subscriptions).opening).toEqual(opening);
    },
  },
  {
    title: 'asks for streams one by one as it opens, and for each again no faster than its pace and not without end',
    check({ driver }, { subscriptions }) {
      const { registration, openingEveryMs = 0 } = driver.defaults;
      const { registrations, opening } = openSession(driver, subscriptions);
      expect(registrations === undefined, 'registrations come with a policy').toBe(registration === undefined);
      if (registrations === undefined || registration === undefined) return;
      expect(registrations.map(({ request }) => request)).toEqual(opening);
      expect(new Set(registrations.map(({ name }) => name)).size).toBe(registrations.length);
      expect(registrations.flatMap(({ subscription }) => subscription ?? [])).toEqual(subscriptions);
      const { floorMs, capMs, factor, retries } = registration.retry;
      expect(registration.answerWithinMs).toBeGreaterThan(0);
      expect(floorMs).toBeGreaterThanOrEqual(Math.max(openingEveryMs, 1));
      expect(capMs).toBeGreaterThan(floorMs);
      expect(factor).toBeGreaterThan(1);
      expect(Number.isInteger(retries) && retries > 0, `retries ${retries} have an end`).toBe(true);
    },
  },
  {
    title: 'reads every sample of market data as valid events, and each subscription has one',
    check({ driver }, { data, subscriptions }) {
      const session = openSession(driver, subscriptions);
      const seen = data.flatMap((frame) => {
        const reading = session.read(frame, RECEIVED_AT);
        expectSound(reading, driver, subscriptions);
        return recordsOf(reading).map((record) => {
          if (record.outcome === 'rejected') throw record.error;
          expect(record.outcome).toBe('event');
          return record.outcome === 'event' ? `${record.event.kind} ${record.event.symbol}` : '';
        });
      });
      expect(seen).toEqual(expect.arrayContaining(subscriptions.map(({ channel, symbol }) => `${channel} ${symbol}`)));
    },
  },
  {
    title: 'ignores market data of a stream that was not subscribed, and names its symbol',
    check({ driver }, { data, subscriptions }) {
      for (const missing of subscriptions) {
        const others = subscriptions.filter((one) => one !== missing);
        const complete = openSession(driver, subscriptions);
        const partial = openSession(driver, others);
        for (const frame of data) {
          const expected = recordsOf(complete.read(frame, RECEIVED_AT)).map((record) => {
            const { symbol, kind } = record.outcome === 'event' ? record.event : { symbol: '', kind: '' };
            const isMissing = symbol === missing.symbol && kind === missing.channel;
            return isMissing ? { outcome: 'ignored', symbol } : record;
          });
          expect(recordsOf(partial.read(frame, RECEIVED_AT))).toEqual(expected);
        }
      }
    },
  },
  {
    title: 'reads a frame the same way every time, but for what it remembers, and leaves its bytes alone',
    check({ driver }, { subscriptions, ...frames }) {
      const session = openSession(driver, subscriptions);
      // One with a memory knows a record that it has seen: another session then reads the same frames alike.
      const again = driver.newMemory === undefined ? session : openSession(driver, subscriptions);
      for (const frame of allFrames(frames)) {
        const before = frame.slice();
        const first = session.read(frame, RECEIVED_AT);
        expect(again.read(frame, RECEIVED_AT)).toEqual(first);
        expect(frame).toEqual(before);
      }
    },
  },
  {
    title: 'keeps sessions apart: what one has read changes nothing for another',
    check({ driver }, { subscriptions, ...frames }) {
      const all = allFrames(frames);
      const read = (session: ReturnType<typeof openSession>) => all.map((frame) => session.read(frame, RECEIVED_AT));
      const busy = openSession(driver, subscriptions);
      const fresh = openSession(driver, subscriptions);
      const alone = read(busy);
      expect(read(fresh)).toEqual(alone);
      expect(read(openSession(driver, subscriptions))).toEqual(alone);
    },
  },
  {
    title: 'tells heartbeats and refusals from market data',
    check({ driver }, { control, refusals, subscriptions }) {
      const session = openSession(driver, subscriptions);
      for (const frame of control) {
        const reading = session.read(frame, RECEIVED_AT);
        expect(reading.kind).toBe('control');
        expectSound(reading, driver, subscriptions);
      }
      for (const frame of refusals) {
        const reading = session.read(frame, RECEIVED_AT);
        expect(reading.kind).toBe('refusal');
        expectSound(reading, driver, subscriptions);
      }
    },
  },
  {
    title: 'never throws and never invents an event, whatever bytes arrive',
    check({ driver }, { subscriptions }) {
      const session = openSession(driver, subscriptions);
      fc.assert(
        fc.property(
          fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.json().map(encode), fc.string().map(encode)),
          (frame) => {
            expectSound(session.read(frame, RECEIVED_AT), driver, subscriptions);
          },
        ),
        FUZZ_RUNS,
      );
    },
  },
  {
    title: 'never throws on a damaged frame, and lets no invalid event through',
    check({ driver }, { subscriptions, ...frames }) {
      const session = openSession(driver, subscriptions);
      fc.assert(
        fc.property(damagedFrame(allFrames(frames)), (frame) => {
          expectSound(session.read(frame, RECEIVED_AT), driver, subscriptions);
        }),
        { numRuns: 2_000 },
      );
    },
  },
  {
    title: 'has a simulator of the same name and paths, whose symbols it spells alike and whose idle limit it keeps',
    async check(venue) {
      const simulator = await venue.loadSimulator();
      const { defaults, id } = venue.driver;
      expect(simulator.id).toBe(id);
      expect(simulator.websocketPath).toBe(new URL(defaults.websocketUrl).pathname);
      expect(simulator.apiPath).toBe(new URL(defaults.apiUrl).pathname.replace(/\/$/, ''));
      expect(simulator.defaultSymbols.length).toBeGreaterThan(0);
      expect(simulator.symbols).toEqual(expect.arrayContaining([...simulator.defaultSymbols]));
      for (const symbol of simulator.symbols) expect(venue.driver.parseSymbol(symbol)).toBe(symbol);
      expect(defaults.keepAlive?.everyMs ?? 0).toBeLessThan(simulator.idleLimitMs / 2);
    },
  },
];

function symbolOrRefusal(driver: VenueDriver, raw: string): string | undefined {
  try {
    return driver.parseSymbol(raw);
  } catch (error) {
    if (!(error instanceof MarketDataError)) throw error;
    expect(error.code).toBe('CONFIG_SYMBOL');
    return undefined;
  }
}

function allFrames({
  data,
  control,
  refusals,
}: Pick<VenueSamples, 'data' | 'control' | 'refusals'>): readonly Uint8Array[] {
  return [...data, ...control, ...refusals];
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
