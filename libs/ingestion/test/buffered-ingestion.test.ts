import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import type { Subscription } from '@aipx/venue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WaitingRecord } from '../src/buffer/waiting-record.js';
import { Ingestion, type IngestionHooks } from '../src/ingestion.js';
import { SpillQueue } from '../src/spill/spill-queue.js';
import { Mailbox } from './mailbox.js';
import { plainDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';
import { WatchedLog } from './watched-log.js';

const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const TOPICS = Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 3]));
const LIMITS = {
  maxMessages: 1_000,
  maxBytes: 1 << 20,
  bookTtlMs: 1_000,
  tradeTtlMs: 0,
  priority: 'trades',
  maxBatchRecords: 100,
  maxBatchBytes: 1 << 20,
  lingerMs: 1,
} as const;

let folder: string;
let venue: VenueServer;
let log: WatchedLog;
let spill: SpillQueue;
let abort: AbortController;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aipx-buffered-ingestion-'));
  venue = await VenueServer.listen();
  log = new WatchedLog(await EmbeddedEventLog.open({ path: join(folder, 'log'), topics: TOPICS }));
  spill = SpillQueue.open({ folder: join(folder, 'spill'), maxBytes: 1 << 24 });
  abort = new AbortController();
});

afterEach(async () => {
  abort.abort();
  spill.close();
  await venue.close();
  await log.close();
  rmSync(folder, { recursive: true });
});

function newIngestion(hooks: IngestionHooks = {}): Ingestion {
  return new Ingestion({
    log,
    venues: [{ driver: plainDriver, websocketUrl: venue.url, subscriptions: [A] }],
    signal: abort.signal,
    buffer: { limits: LIMITS, spill, maxHopelessErrors: 10 },
    hooks,
  });
}

/** Ends with the log as it is, at once. */
async function stop(ingestion: Ingestion): Promise<void> {
  await ingestion.disconnect();
  await ingestion.drain(AbortSignal.abort());
}

function goAway(): void {
  log.beforeAppend = () => Promise.reject(new MarketDataError('PUBLISH_FAILED', 'away', { retryable: true }));
}

describe('ingestion with a buffer', () => {
  it('takes what it received to the disk when it must end while the log is away, and sends it at the next start', async () => {
    const first = newIngestion();
    await first.start();
    goAway();
    const socket = await venue.connection();
    for (const id of ['1', '2', '3']) socket.send(`tick KRW-A 5 ${id}`);
    await log.tries(1);
    await stop(first);
    expect(first.status().publisher.lostAtEnd).toBe(0);
    spill.close();

    log.beforeAppend = () => Promise.resolve();
    spill = SpillQueue.open({ folder: join(folder, 'spill'), maxBytes: 1 << 24 });
    const second = newIngestion();
    await second.start();
    (await venue.connection(1)).send('tick KRW-A 5 4');
    const ticks = await log.holds('tick', 4);
    expect(ticks.map(({ tradeId }) => tradeId)).toEqual(['1', '2', '3', '4']);
    const [gap] = await log.holds('gap', 1);
    expect(gap).toMatchObject({ symbol: 'KRW-A', cause: 'RECONNECT', detail: 'not running' });
    // Since when nobody listened is known from the disk: the log had nothing.
    expect(gap?.from).toBe(ticks[2]?.receivedTimestamp);
    expect(gap?.to).toBe(ticks[3]?.receivedTimestamp);
    await second.disconnect();
    await second.drain();
  });

  it('does not wait at the end for a log that does not answer while it is read back', async () => {
    const seed = newIngestion();
    await seed.start();
    (await venue.connection()).send('tick KRW-A 5 1');
    const [seeded] = await log.holds('tick', 1);
    await seed.disconnect();
    await seed.drain();

    log.beforeRead = () => new Promise(() => undefined);
    const ingestion = newIngestion();
    await ingestion.start();
    goAway();
    (await venue.connection(1)).send('tick KRW-A 5 2');
    await log.tries(2);
    await stop(ingestion);
    const left = [...spill.entries()].map(({ entry }) => entry);
    expect(left.filter(({ topic }) => topic === 'market.tick')).toHaveLength(1);
    const gaps = left.filter(({ topic }) => topic === 'market.gap').map(({ value }) => decodeEvent('gap', value));
    // The process before has left word until when it had listened.
    expect(gaps).toMatchObject([{ cause: 'RECONNECT', detail: 'not running' }]);
    expect(gaps[0]?.kind === 'gap' && seeded && gaps[0].from > seeded.receivedTimestamp).toBe(true);
  });

  it('names the time before a process that was killed before it had named it', async () => {
    const first = newIngestion();
    await first.start();
    (await venue.connection()).send('tick KRW-A 5 1');
    await log.holds('tick', 1);
    await first.disconnect();
    await first.drain();

    log.beforeRead = () => new Promise(() => undefined); // it is not read back yet, and records come
    const published = new Mailbox<readonly WaitingRecord[]>();
    const hooks = { onPublished: (records: readonly WaitingRecord[]) => published.put(records) };
    const killed = newIngestion(hooks);
    await killed.start();
    (await venue.connection(1)).send('tick KRW-A 5 2');
    await published.take();
    // What a process leaves that is killed now.
    const left = join(folder, 'left');
    cpSync(join(folder, 'spill'), left, { recursive: true });
    goAway(); // what this one says at its end, no killed process would
    await stop(killed);
    spill.close();

    log.beforeRead = () => Promise.resolve();
    log.beforeAppend = () => Promise.resolve();
    spill = SpillQueue.open({ folder: left, maxBytes: 1 << 24 });
    const next = newIngestion(hooks);
    await next.start();
    (await venue.connection(2)).send('tick KRW-A 5 3');
    while (!(await published.take()).some(({ gap }) => gap?.cause === 'RECONNECT'));
    const ticks = await log.holds('tick', 3);
    expect(await log.holds('gap', 1)).toMatchObject([
      { cause: 'RECONNECT', detail: 'not running', from: ticks[0]?.receivedTimestamp, to: ticks[2]?.receivedTimestamp },
    ]);
    expect(existsSync(join(left, 'unnamed-past'))).toBe(false);
    await next.disconnect();
    await next.drain();
  });

  it('leaves nothing to be named behind when it ends in order', async () => {
    const ingestion = newIngestion();
    await ingestion.start();
    (await venue.connection()).send('tick KRW-A 5 1');
    await log.holds('tick', 1);
    await ingestion.disconnect();
    await ingestion.drain();
    expect(existsSync(join(folder, 'spill', 'unnamed-past'))).toBe(false);
  });

  it('cannot be started twice', async () => {
    const ingestion = newIngestion();
    await ingestion.start();
    await expect(ingestion.start()).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    await ingestion.disconnect();
    await ingestion.drain();
  });

  it('ends its start when it is told to', async () => {
    log.beforeRead = () => new Promise(() => undefined);
    await log.append([{ topic: 'market.tick', key: 'KRW-A', value: new Uint8Array(), headers: {} }]);
    const stopping = new AbortController();
    const starting = newIngestion().start(stopping.signal);
    stopping.abort();
    await expect(starting).rejects.toMatchObject({ name: 'AbortError' });
  });
});
