import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { Subscription, VenueDriver } from '@aipx/venue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
const TOPICS = Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 1]));
const HOUR = 3_600_000_000_000n;
const LATE = HOUR / 12n;

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
      isDataExpected: (at) => at < closesAt,
      dataExpectedFrom: (at) => at + HOUR,
    };
    await runOnce({ driver }, { buffer: buffer() });
    const [last] = await log.events('tick');
    // Its last record is the last that the venue could send of that session.
    closesAt = (last?.receivedTimestamp ?? 0n) - LATE + 1n;
    const next = await start([{ driver }], { buffer: buffer() });
    (await venue.connection(1)).send('tick KRW-A 5 2');
    await log.holds('tick', 2);
    expect(existsSync(join(spillFolder, 'unnamed-past'))).toBe(false);
    await finish(next);
    expect(await log.events('gap')).toEqual([]);
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
    const memory = { usefulSince: () => 0n, resume: ({ tradeId }: { tradeId: string }) => void resumed.push(tradeId) };
    const inputs = [{ subscriptions: [A, BOOK] }, { subscriptions: [B] }].map((each) => ({ ...each, memory }));
    const ingestion = await start(inputs, { gapLookbackMs: 0 });
    expect(resumed).toEqual(['1']);
    expect(reads).toBe(2);
    await finish(ingestion);
  });
});
