import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog } from '@aipx/event-log';
import { MarketDataError, parseDecimal, type Tick } from '@aipx/market-model';
import { encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import type { Subscription, VenueDriver } from '@aipx/venue';
import { wallClock } from '@aipx/websocket-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WaitingRecord } from '../src/buffer/waiting-record.js';
import { Ingestion, type IngestionOptions } from '../src/ingestion.js';
import { ListenedUntil } from '../src/listened-until.js';
import { SpillQueue } from '../src/spill/spill-queue.js';
import type { VenueInput } from '../src/venue-connection.js';
import { plainDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';
import { WatchedLog } from './watched-log.js';

const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };
const BOOK: Subscription = { symbol: 'KRW-A', channel: 'orderbook' };
const TRADE: Tick = {
  kind: 'tick',
  exchange: 'plain',
  symbol: 'KRW-A',
  price: parseDecimal('5'),
  volume: parseDecimal('1'),
  timestamp: 1n,
  change: undefined,
  changeRate: undefined,
  side: 'BUY',
  tradeId: '1',
  receivedTimestamp: 1n,
  streamType: 'REALTIME',
};
const TOPICS = Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 1]));

let folder: string;
let spillFolder: string;
let venue: VenueServer;
let log: WatchedLog;
let spill: SpillQueue;
let abort: AbortController;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aipx-restart-'));
  spillFolder = join(folder, 'spill');
  venue = await VenueServer.listen();
  log = new WatchedLog(await EmbeddedEventLog.open({ path: join(folder, 'log'), topics: TOPICS }));
  spill = SpillQueue.open({ folder: spillFolder, maxBytes: 1 << 24 });
  abort = new AbortController();
});

afterEach(async () => {
  vi.useRealTimers();
  abort.abort();
  spill.close();
  await venue.close();
  await log.close();
  rmSync(folder, { recursive: true });
});

async function start(
  inputs: readonly Partial<VenueInput>[],
  options: Partial<IngestionOptions> = {},
): Promise<Ingestion> {
  const venues = inputs.map((input) => ({
    driver: plainDriver,
    websocketUrl: venue.url,
    subscriptions: [A],
    ...input,
  }));
  const ingestion = new Ingestion({ log, venues, signal: abort.signal, ...options });
  await ingestion.start();
  return ingestion;
}

async function finish(ingestion: Ingestion): Promise<void> {
  await ingestion.disconnect();
  await ingestion.drain();
}

/** A process that stores one trade and ends in order. */
async function runOnce(input: Partial<VenueInput> = {}, options: Partial<IngestionOptions> = {}): Promise<void> {
  const [before, connections] = [await log.events('tick'), venue.connections];
  const ingestion = await start([input], options);
  (await venue.connection(connections)).send('tick KRW-A 5 1');
  await log.holds('tick', before.length + 1);
  await finish(ingestion);
}

describe('a restart in hours without data', () => {
  const buffer = () => ({
    limits: {
      maxMessages: 1_000,
      maxBytes: 1 << 20,
      bookTtlMs: 1_000,
      tradeTtlMs: 0,
      priority: 'trades' as const,
      maxBatchRecords: 100,
      maxBatchBytes: 1 << 20,
      lingerMs: 1,
    },
    spill,
    maxHopelessErrors: 10,
  });

  it('makes no gap behind a process that ended in order, and leaves nothing to be named', async () => {
    let closesAt = 1n << 64n;
    const driver: VenueDriver = {
      ...plainDriver,
      mayHaveSent: ({ from, to }) => (from < closesAt ? { from, to: to < closesAt ? to : closesAt } : undefined),
    };
    await runOnce({ driver }, { buffer: buffer() });
    const [last] = await log.events('tick');
    // Its last record is the last that the venue could send of that session.
    closesAt = (last?.receivedTimestamp ?? 0n) + 1n;
    const next = await start([{ driver }], { buffer: buffer() });
    (await venue.connection(1)).send('tick KRW-A 5 2');
    await log.holds('tick', 2);
    expect(existsSync(join(spillFolder, 'unnamed-past'))).toBe(false);
    await finish(next);
    expect(await log.events('gap')).toEqual([]);
  });

  it('needs no name for hours without data once the log has the gap that ends before them', async () => {
    await runOnce({}, { buffer: buffer() });
    const [last] = await log.events('tick');
    const closesAt = (last?.receivedTimestamp ?? 0n) + 1n;
    const driver: VenueDriver = {
      ...plainDriver,
      mayHaveSent: ({ from, to }) => (from < closesAt ? { from, to: to < closesAt ? to : closesAt } : undefined),
    };
    rmSync(join(spillFolder, 'listened-until'));
    const stored = Promise.withResolvers<undefined>();
    const onPublished = (records: readonly WaitingRecord[]) => {
      if (records.some(({ kind }) => kind === 'gap')) stored.resolve(undefined);
    };
    const next = await start([{ driver }], { buffer: buffer(), hooks: { onPublished } });
    (await venue.connection(1)).send('tick KRW-A 5 2');
    await stored.promise;
    expect(await log.events('gap')).toMatchObject([{ ...A, from: last?.receivedTimestamp, to: closesAt }]);
    expect(existsSync(join(spillFolder, 'unnamed-past'))).toBe(false);
    await finish(next);
  });

  it('finds the word of a process that was killed behind a session', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let isOpen = true;
    const driver: VenueDriver = { ...plainDriver, mayHaveSent: (stretch) => (isOpen ? stretch : undefined) };
    const published = Promise.withResolvers<unknown>();
    const killed = await start([{ driver }], { buffer: buffer(), hooks: { onPublished: published.resolve } });
    (await venue.connection(0)).send('tick KRW-A 5 1');
    vi.advanceTimersByTime(1_000);
    await published.promise;
    const listenedUntil = () => new ListenedUntil(spillFolder, () => undefined).of('plain', A);
    vi.advanceTimersByTime(10_000);
    expect(listenedUntil()).toBeUndefined();
    isOpen = false;
    vi.advanceTimersByTime(10_000);
    expect(listenedUntil()).toBeDefined();
    abort.abort();
    await killed.drain();
  });

  it('leaves no word while it does not know what was missed before it, and names that once the log is read', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const lastReceived = wallClock() - 3_600_000_000_000n;
    const closedAt = lastReceived + 1_800_000_000_000n;
    const trade: Tick = { ...TRADE, timestamp: lastReceived, receivedTimestamp: lastReceived };
    const headers = { exchange: 'plain' };
    await log.append([{ topic: EVENT_TOPICS.tick, key: 'KRW-A', value: encodeEvent(trade), headers }]);
    const driver: VenueDriver = {
      ...plainDriver,
      answersSubscriptions: true,
      mayHaveSent: ({ from, to }) => (from < closedAt ? { from, to: to < closedAt ? to : closedAt } : undefined),
    };
    const [read, stood] = [Promise.withResolvers<undefined>(), Promise.withResolvers<unknown>()];
    log.beforeRead = () => read.promise;
    const hooks = { onPublished: stood.resolve };
    const ingestion = await start([{ driver }], { buffer: buffer(), hooks });
    (await venue.connection(0)).send('tick KRW-A 5 2');
    vi.advanceTimersByTime(1_000);
    await stood.promise;
    vi.advanceTimersByTime(20_000);
    const word = () => new ListenedUntil(spillFolder, () => undefined).of('plain', A);
    expect([word(), existsSync(join(spillFolder, 'unnamed-past'))]).toEqual([undefined, true]);
    read.resolve(undefined);
    expect(await log.holds('gap', 1)).toMatchObject([
      { ...A, from: lastReceived, to: closedAt, detail: 'not running' },
    ]);
    vi.advanceTimersByTime(20_000);
    expect(word()).toBeGreaterThan(closedAt);
    await finish(ingestion);
  });

  it('goes by the last record where the process before did not end in order', async () => {
    await runOnce({}, { buffer: buffer() });
    const listenedUntil = () => new ListenedUntil(spillFolder, () => undefined).of('plain', A);
    const before = listenedUntil();
    const [last] = await log.events('tick');
    expect(before !== undefined && last !== undefined && before > last.receivedTimestamp).toBe(true);
    const killed = await start([{}], { buffer: buffer() });
    (await venue.connection(1)).send('tick KRW-A 5 2');
    await log.holds('gap', 1);
    abort.abort();
    await killed.drain();
    expect(listenedUntil()).toBe(before);
  });

  it('keeps its word beside the records, where no queue takes it for a stranger', async () => {
    await runOnce({}, { buffer: buffer() });
    spill.close();
    const faults: MarketDataError[] = [];
    spill = SpillQueue.open({ folder: spillFolder, maxBytes: 1 << 24, onDamage: (error) => faults.push(error) });
    expect(faults).toEqual([]);
    expect(existsSync(join(spillFolder, 'listened-until'))).toBe(true);
  });
});

describe('a stream that the venue refuses, and never sends again', () => {
  const driver: VenueDriver = { ...plainDriver, answersSubscriptions: true };
  const subscriptions = [A, B];

  /** A process that stores a trade of each stream, before the venue refuses one. */
  async function refused(): Promise<Ingestion> {
    const { promise: told, resolve: tell } = Promise.withResolvers<undefined>();
    const ingestion = await start([{ driver, subscriptions }], { hooks: { onRefused: () => tell(undefined) } });
    const socket = await venue.connection(0);
    for (const text of ['tick KRW-A 5 1', 'tick KRW-B 5 1', 'denied KRW-A']) socket.send(text);
    await told;
    await log.holds('tick', 2);
    return ingestion;
  }

  const lastReceived = async () => (await log.events('tick'))[0]?.receivedTimestamp;

  it('is named when the process ends in order', async () => {
    await finish(await refused());
    const from = await lastReceived();
    expect(await log.events('gap')).toMatchObject([{ ...A, from, cause: 'RECONNECT', detail: 'no KRW-A for you' }]);
  });

  it('is named by the next process when the first was killed, from its last record, though it is refused there too', async () => {
    await refused();
    abort.abort();
    expect(await log.events('gap')).toEqual([]);
    abort = new AbortController();
    const { promise: told, resolve: tell } = Promise.withResolvers<undefined>();
    const next = await start([{ driver, subscriptions }], { hooks: { onRefused: () => tell(undefined) } });
    const socket = await venue.connection(1);
    socket.send('denied KRW-A');
    await told;
    await finish(next);
    const from = await lastReceived();
    expect(await log.events('gap')).toMatchObject([{ ...A, from, cause: 'RECONNECT', detail: 'not running' }]);
  });
});

describe('a venue with a memory', () => {
  it('starts although a stored trade cannot be gone on from, or the day is not known, and says so', async () => {
    await runOnce();
    const faults: MarketDataError[] = [];
    const memory = {
      usefulSince: () => {
        throw new MarketDataError('CONFIG_INVALID', 'no trading day');
      },
      resume: () => {
        throw new MarketDataError('VALIDATION_TICK', 'not a trade id');
      },
      forget: () => undefined,
    };
    await runOnce({ memory }, { hooks: { onFault: (error) => faults.push(error) } });
    expect(faults.map(({ message }) => message)).toEqual([
      'no trading day',
      'the stored trade plain KRW-A 1 cannot be gone on from: not a trade id',
    ]);
    expect(await log.events('gap')).toMatchObject([{ ...A, detail: 'not running' }]);
  });

  it('has the log read back once for all its connections, and its books no further than gaps are looked for', async () => {
    await runOnce();
    const books = { topic: EVENT_TOPICS.orderbook, key: 'KRW-C', value: new Uint8Array(), headers: {} };
    await log.append(Array.from({ length: 2_500 }, () => books));
    let reads = 0;
    log.beforeRead = () => Promise.resolve(void (reads += 1));
    const resumed: string[] = [];
    const memory = {
      usefulSince: () => 0n,
      resume: ({ tradeId }: { tradeId: string }) => void resumed.push(tradeId),
      forget: () => undefined,
    };
    const inputs = [{ subscriptions: [A, BOOK] }, { subscriptions: [B] }].map((each) => ({ ...each, memory }));
    const ingestion = await start(inputs, { gapLookbackMs: 0 });
    expect(resumed).toEqual(['1']);
    expect(reads).toBe(2);
    await finish(ingestion);
  });
});
