import { DEAD_LETTER_TOPIC, type EventLog } from '@aipx/event-log';
import type { Subscription } from '@aipx/venue';
import { testLog } from '@aipx/timescale/testing';
import { describe, expect, it } from 'vitest';
import { DayClock } from './support/day-clock.js';
import { gapsFor, holesOf, repeatedOf, sentTrades, storedLines } from './support/expected.js';
import { fastClock } from './support/fast-clock.js';
import { HotDatabase } from './support/hot-store.js';
import { APP_KEY, startIngesting, type Ingesting } from './support/ingesting.js';
import { readJournal } from './support/journal.js';
import { startVenue, testFolder, type RunningVenue } from './support/venue.js';

const seed = Number(process.env['KIS_DAY_SEED'] ?? Date.now() % 1_000_000);
/** How far the day goes on with each event that is asked for. */
const STEP_MS = Number(process.env['KIS_DAY_STEP_MS'] ?? 2_000);
const BEFORE = '20261119';
const DAY = '20261120';
/** Large and small ones, one with a letter, and a fund, which has no after-market. */
const SYMBOLS = [
  ...['005930', '000660', '373220', '207940', '005380', '035420', '005490'],
  ...['247540', '196170', '001470', '396300', '0193T0', '233740'],
];
/** Of this one trades alone: with the market operations of all fourteen, 41 registrations. */
const LAST = '069500';
const STREAMS: readonly Subscription[] = [
  ...SYMBOLS.flatMap((symbol): Subscription[] => [
    { symbol, channel: 'tick' },
    { symbol, channel: 'orderbook' },
  ]),
  { symbol: LAST, channel: 'tick' },
];
const REGISTRATIONS = 41;
const HALTS = [
  { code: '005930', from: '101500', to: '101700', kind: 'vi' },
  { code: '001470', from: '110000', to: '134500', kind: 'halt' },
] as const;

/** A day that is being played, and what it is taken to. */
class Play {
  readonly venue: RunningVenue;
  readonly log: EventLog;
  readonly database: HotDatabase;
  readonly #clock: DayClock;
  readonly #folder: string;

  private constructor(venue: RunningVenue, clock: DayClock, log: EventLog, database: HotDatabase, folder: string) {
    this.venue = venue;
    this.log = log;
    this.database = database;
    this.#clock = clock;
    this.#folder = folder;
  }

  static async begin(date: string, from: string, mischief: { lossShare?: number; repeatShare?: number } = {}) {
    const clock = new DayClock(date, from);
    const venue = await startVenue(
      // A session that was lost is gone at once: the wait for it goes by the clock of the keys.
      { day: clock.day, wall: clock.look, halts: HALTS, pingEveryMs: 100, zombieMs: 0, ...mischief },
      { kind: 'market', seed, rate: STEP_MS < 1_000 ? 'max' : 6_000 },
    );
    const log = await testLog(1);
    return new Play(venue, clock, log, await HotDatabase.behind(log), await testFolder());
  }

  /** A process that is registered for everything. */
  async ingest(): Promise<Ingesting> {
    const { venue, log } = this;
    const next = venue.seen.registrations.length;
    const folder = this.#folder;
    const ingesting = await startIngesting({ venue, log, subscriptions: STREAMS, clock: fastClock, folder });
    await this.#registered(next);
    return ingesting;
  }

  /** Plays on, and stands still at that time. */
  async until(time: string, date = DAY): Promise<void> {
    this.#clock.run(STEP_MS);
    await this.#clock.reaches(date, time);
    this.#clock.stand();
  }

  night(): void {
    this.#clock.jump(DAY, '075950');
  }

  own(name: string, fields: object): void {
    this.venue.host.inject({ fault: 'venue', own: { name, ...fields } });
  }

  /** Ends the session, loses some trades, and waits until all is registered again. */
  async cut(how: 'close' | 'reset'): Promise<void> {
    const next = this.venue.seen.registrations.length;
    this.venue.host.inject({ fault: 'cut', how });
    this.own('lose-records', { count: 7 });
    await this.#registered(next);
  }

  /** The session stands, and nothing passes any more; what is sent into it for a quarter of an hour is lost. */
  async halfOpen(from: string, to: string): Promise<void> {
    const { host, seen, watch } = this.venue;
    await this.until(from);
    const next = seen.registrations.length;
    host.inject({ fault: 'half-open' });
    await this.until(to);
    host.inject({ fault: 'silence', on: true });
    await watch.until(() => seen.opened > next);
    host.inject({ fault: 'silence', on: false });
    await this.#registered(next);
  }

  async #registered(connection: number): Promise<void> {
    const { seen, watch } = this.venue;
    await watch.until(() => seen.registrations[connection] === REGISTRATIONS);
  }
}

function timesOf(stored: readonly { readonly content: string }[]): readonly string[] {
  return stored.map(({ content }) => content.slice(-6));
}

/** What was kept of frames that could not be read, by frame. */
async function deadLetters(log: EventLog): Promise<readonly (readonly string[])[]> {
  const partition = { topic: DEAD_LETTER_TOPIC, partition: 0 };
  const records = await log.read(partition, 0n, { maxRecords: 1_000, maxBytes: 1e6 });
  const byFrame = Map.groupBy(records, ({ key }) => key?.split('/').slice(0, 3).join('/'));
  return [...byFrame.values()].map((ofFrame) => ofFrame.map(({ value }) => Buffer.from(value ?? '').toString()));
}

describe('a trading day of 41 registrations, in compressed time', () => {
  it(`is stored trade for trade, from the pre-market to the after-market (KIS_DAY_SEED=${seed})`, async () => {
    const play = await Play.begin(DAY, '075950');
    const ingesting = await play.ingest();
    await play.until('200100');
    expect(ingesting.ingestion.status().venues['kis']).toMatchObject({ state: 'CONNECTED', reconnects: 0 });
    await ingesting.readOut();
    await play.database.drained();

    const journal = await readJournal(play.venue.journal);
    const stored = await play.database.trades();
    expect(stored.length).toBeGreaterThan(5_000);
    expect(storedLines(stored)).toEqual(sentTrades(journal));
    expect(await play.database.breaks()).toEqual([]);
    expect(await play.database.causes()).toEqual({});
    expect(ingesting.ingestion.status().venues['kis']?.counts).toMatchObject({ repeated: 0, rejected: 0, ignored: 0 });

    // What the day was made of came through.
    const times = timesOf(stored);
    const between = (from: string, to: string) => times.filter((time) => from <= time && time < to).length;
    expect(between('080000', '085000')).toBeGreaterThan(100);
    expect(between('085000', '090000')).toBe(0);
    expect(journal.largest).toBe(24);
    expect(between('152000', '153000')).toBe(0);
    expect(between('153000', '154000')).toBe(STREAMS.filter(({ channel }) => channel === 'tick').length);
    expect(between('154000', '200000')).toBeGreaterThan(100);
    for (const { code, from, to } of HALTS) {
      const own = timesOf(stored.filter(({ symbol }) => symbol === code));
      expect(own.filter((time) => from <= time && time < to)).toEqual([]);
      expect(own.some((time) => time < from) && own.some((time) => time >= to)).toBe(true);
    }
    const halted = ingesting.news.filter(({ isHalted }) => isHalted !== undefined);
    expect(halted.filter(({ symbol }) => symbol === '001470').map(({ isHalted }) => isHalted)).toContain(true);
    expect(play.venue.seen).toMatchObject({ opened: 1, registrations: [REGISTRATIONS], refusals: [] });
  });

  it(`names every trade that is missing, and stores the others once, through losses, repeats, cuts, garbage and a restart (KIS_DAY_SEED=${seed})`, async () => {
    const play = await Play.begin(BEFORE, '151000', { lossShare: 0.004, repeatShare: 0.004 });
    const { venue, database } = play;
    const first = await play.ingest();
    // Whoever has seen the day before knows that a day begins at 0, and misses its first trades.
    await play.until('151900', BEFORE);
    play.night();
    play.own('lose-records', { count: 20 });
    await play.until('083000');
    const garbage = ['narrow', 'uneven', 'no-count', 'zero-count', 'unknown', 'undecryptable', 'invalid-utf8'];
    for (const kind of garbage) venue.host.inject({ fault: 'garbage', kind });
    await play.until('093000');
    await play.cut('reset');
    await play.halfOpen('103000', '104500');
    await play.until('113000');
    await first.stop();
    play.own('lose-records', { count: 9 });
    const second = await play.ingest();
    await play.until('123000');
    play.own('invalid-utf8', { count: 5 });
    await play.until('130000');
    await play.cut('close');
    await play.until('134000');
    venue.host.inject({ fault: 'garbage', kind: 'narrow' });
    await play.until('200100');
    await second.readOut();
    await database.drained();

    const journal = await readJournal(venue.journal);
    const stored = await database.trades();
    expect(stored.length).toBeGreaterThan(5_000);
    // Nothing that was not sent, and nothing twice.
    const lines = storedLines(stored);
    expect(new Set(lines).size).toBe(lines.length);
    const sent = new Set(sentTrades(journal));
    expect(lines.filter((line) => !sent.has(line))).toEqual([]);

    const holes = holesOf(journal, stored);
    const gaps = await database.gaps();
    expect(holes.length).toBeGreaterThan(50);
    expect(gaps).toEqual(gapsFor(holes, gaps));

    const counts = [first, second].map(({ ingestion }) => ingestion.status().venues['kis']?.counts);
    const repeated = repeatedOf(journal, stored);
    expect(repeated).toBeGreaterThan(10);
    expect(counts.reduce((sum, each) => sum + (each?.repeated ?? 0), 0)).toBe(repeated);

    expect(journal.garbage).toHaveLength(garbage.length + 1);
    const letters = await deadLetters(play.log);
    expect(letters).toHaveLength(journal.garbage.length);
    for (const [at, parts] of letters.entries()) for (const part of parts) expect(journal.garbage[at]).toContain(part);
    expect(await database.causes()).toMatchObject({ RECONNECT: 4 * STREAMS.length });
    expect(venue.seen).toMatchObject({ opened: 5, registrations: Array(5).fill(REGISTRATIONS), refusals: [] });
    expect(venue.kis.usage(APP_KEY)).toMatchObject({ approvalKeys: 1 });
  });
});
