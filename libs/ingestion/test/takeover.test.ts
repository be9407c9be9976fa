import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { SessionMemory, Subscription } from '@aipx/venue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ingestion, type BufferOptions, type IngestionHooks } from '../src/ingestion.js';
import { SpillQueue } from '../src/spill/spill-queue.js';
import { ManualAccess } from './manual-access.js';
import { plainDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';
import { WatchedLog } from './watched-log.js';

const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const TOPICS = Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 1]));

let folder: string;
let venue: VenueServer;
let log: WatchedLog;
let abort: AbortController;
const spills: SpillQueue[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aipx-takeover-'));
  venue = await VenueServer.listen();
  log = new WatchedLog(await EmbeddedEventLog.open({ path: join(folder, 'log'), topics: TOPICS }));
  abort = new AbortController();
});

afterEach(async () => {
  abort.abort();
  for (const spill of spills.splice(0)) spill.close();
  await venue.close();
  await log.close();
  rmSync(folder, { recursive: true });
});

interface Process {
  readonly ingestion: Ingestion;
  readonly access: ManualAccess;
  /** Trade ids that its memory was told of. */
  readonly resumed: readonly string[];
  /** Symbols whose trades it was to forget. */
  readonly forgotten: readonly string[];
}

/** A process that waits for leave to connect. */
async function start({ hooks, buffer }: { hooks?: IngestionHooks; buffer?: BufferOptions } = {}): Promise<Process> {
  const access = new ManualAccess();
  const resumed: string[] = [];
  const forgotten: string[] = [];
  const memory: SessionMemory = {
    usefulSince: (at) => at,
    resume: ({ tradeId }) => void resumed.push(tradeId),
    forget: (symbol) => void forgotten.push(symbol),
  };
  const ingestion = new Ingestion({
    log,
    venues: [{ driver: plainDriver, websocketUrl: venue.url, subscriptions: [A], access, memory }],
    signal: abort.signal,
    ...(hooks && { hooks }),
    ...(buffer && { buffer }),
  });
  await ingestion.start();
  return { ingestion, access, resumed, forgotten };
}

/** Lets a process connect, and gives it a trade. Returns what ends its leave. */
async function trade({ access }: Process, connection: number, id: string): Promise<AbortController> {
  const before = await log.events('tick');
  const leave = (await access.asked.take()).grant(`key ${id}`);
  (await venue.connection(connection)).send(`tick KRW-A 5 ${id}`);
  await log.holds('tick', before.length + 1);
  return leave;
}

async function finish({ ingestion }: Process): Promise<void> {
  await ingestion.disconnect();
  await ingestion.drain();
}

/** Trade 1 by the first process, trade 2 by the other one; the leave is the first one's to have again. */
async function takeTurns(): Promise<Process> {
  const [first, other] = [await start(), await start()];
  const leave = await trade(first, 0, '1');
  leave.abort(new Error('another process has it'));
  await trade(other, 1, '2');
  await finish(other);
  return first;
}

const noLog = () => Promise.reject(new MarketDataError('STORE_UNAVAILABLE', 'no log'));
const asUsual = () => Promise.resolve();

const receivedAt = async (id: string) =>
  (await log.events('tick')).find(({ tradeId }) => tradeId === id)?.receivedTimestamp;

describe('a process that stands by', () => {
  it('goes on from the last record of the one before, which was recorded while it stood by', async () => {
    const first = await start();
    await trade(first, 0, '1');
    const next = await start();
    (await venue.connection(0)).send('tick KRW-A 5 2');
    await log.holds('tick', 2);
    await finish(first);
    await trade(next, 1, '3');
    await finish(next);
    expect(next.resumed).toEqual(['2']);
    const [from, to] = [await receivedAt('2'), await receivedAt('3')];
    expect(await log.events('gap')).toMatchObject([{ ...A, from, to, cause: 'RECONNECT', detail: 'not running' }]);
  });

  it('goes on from there each time it takes over again', async () => {
    const [first, next] = [await start(), await start()];
    const leave = await trade(first, 0, '1');
    leave.abort(new Error('another process has it'));
    await trade(next, 1, '2');
    await finish(next);
    await trade(first, 2, '3');
    await finish(first);
    expect(next.resumed).toEqual(['1']);
    expect(first.resumed).toEqual(['2']);
    expect([...first.forgotten, ...next.forgotten]).toEqual([]);
    const [one, two, three] = [await receivedAt('1'), await receivedAt('2'), await receivedAt('3')];
    expect(await log.events('gap')).toMatchObject([
      { ...A, from: one, to: two, detail: 'not running' },
      { ...A, from: two, to: three, detail: 'connection lost' },
    ]);
  });

  it('names gaps by what the log held at its start where it never answers again, and goes on from no trade', async () => {
    const first = await start();
    await trade(first, 0, '1');
    const faults: MarketDataError[] = [];
    const next = await start({ hooks: { onFault: (error) => faults.push(error) } });
    (await venue.connection(0)).send('tick KRW-A 5 2');
    await log.holds('tick', 2);
    await finish(first);
    log.beforeRange = noLog;
    (await next.access.asked.take()).grant('key 3');
    const socket = await venue.connection(1);
    log.beforeRange = asUsual;
    socket.send('tick KRW-A 5 3');
    await log.holds('tick', 3);
    await finish(next);
    expect(faults).toMatchObject([{ message: 'no log' }, { message: 'no log' }]);
    expect(next.resumed).toEqual([]);
    const [from, to] = [await receivedAt('1'), await receivedAt('3')];
    expect(await log.events('gap')).toMatchObject([{ ...A, from, to }]);
  });

  it('names a gap of unknown beginning where the log was empty at its start and never answers again', async () => {
    const next = await start();
    const first = await start();
    await trade(first, 0, '1');
    await finish(first);
    log.beforeRange = noLog;
    (await next.access.asked.take()).grant('key 2');
    const socket = await venue.connection(1);
    log.beforeRange = asUsual;
    socket.send('tick KRW-A 5 2');
    await log.holds('tick', 2);
    await finish(next);
    expect(await log.events('gap')).toMatchObject([{ ...A, from: 0n, to: await receivedAt('2'), cause: 'RECONNECT' }]);
  });

  it('reads on beside the live stream where the log answers later', async () => {
    const next = await start();
    const first = await start();
    await trade(first, 0, '1');
    await finish(first);
    const answer = Promise.withResolvers<undefined>();
    log.beforeRange = () => answer.promise;
    (await next.access.asked.take()).grant('key 2');
    const appends = log.tries(2);
    (await venue.connection(1)).send('tick KRW-A 5 2');
    await appends;
    log.beforeRange = asUsual;
    answer.resolve(undefined);
    const [gap] = await log.holds('gap', 1);
    expect(gap).toMatchObject({ ...A, from: await receivedAt('1'), to: await receivedAt('2'), cause: 'RECONNECT' });
    expect(next.resumed).toEqual([]);
    await finish(next);
  });

  it('goes on from none of its own trades where nobody knows what was recorded since', async () => {
    const first = await takeTurns();
    log.beforeRange = noLog;
    (await first.access.asked.take()).grant('key 3');
    const socket = await venue.connection(2);
    log.beforeRange = asUsual;
    expect(first.forgotten).toEqual(['KRW-A']);
    socket.send('tick KRW-A 5 3');
    await log.holds('tick', 3);
    await finish(first);
    expect(first.resumed).toEqual([]);
    const [from, to] = [await receivedAt('1'), await receivedAt('3')];
    expect(await log.events('gap')).toContainEqual(expect.objectContaining({ ...A, from, to, cause: 'RECONNECT' }));
  });

  it('likewise where the log tells where it ends, and cannot be read', async () => {
    const first = await takeTurns();
    log.beforeRead = noLog;
    (await first.access.asked.take()).grant('key 3');
    await venue.connection(2);
    log.beforeRead = asUsual;
    expect(first.forgotten).toEqual(['KRW-A']);
    expect(first.resumed).toEqual([]);
    await finish(first);
  });

  it('goes on from the last trade in the log as soon as that is read, where reading takes long', async () => {
    const first = await takeTurns();
    const answer = Promise.withResolvers<undefined>();
    log.beforeRead = () => answer.promise;
    (await first.access.asked.take()).grant('key 3');
    await venue.connection(2);
    expect(first.forgotten).toEqual(['KRW-A']);
    expect(first.resumed).toEqual([]);
    log.beforeRead = asUsual;
    answer.resolve(undefined);
    await finish(first);
    expect(first.resumed).toEqual(['2']);
  });

  it('leaves nothing to be named when it is killed, and is not taken for the end of the past', async () => {
    const spill = SpillQueue.open({ folder: join(folder, 'spill'), maxBytes: 1 << 24 });
    spills.push(spill);
    const limits = {
      ...{ maxMessages: 1_000, maxBytes: 1 << 20, bookTtlMs: 1_000, tradeTtlMs: 0, priority: 'trades' as const },
      ...{ maxBatchRecords: 100, maxBatchBytes: 1 << 20, lingerMs: 1 },
    };
    const buffer = { limits, spill, maxHopelessErrors: 10 };
    const first = await start();
    await trade(first, 0, '1');
    const killed = await start({ buffer });
    await killed.access.asked.take();
    expect(existsSync(join(folder, 'spill', 'unnamed-past'))).toBe(false);
    (await venue.connection(0)).send('tick KRW-A 5 2');
    await log.holds('tick', 2);
    await finish(first);
    abort.abort();
    abort = new AbortController();
    const next = await start({ buffer });
    await trade(next, 1, '3');
    await log.holds('gap', 1);
    expect(await log.events('gap')).toMatchObject([{ ...A, from: await receivedAt('2') }]);
    expect(existsSync(join(folder, 'spill', 'unnamed-past'))).toBe(false);
    await finish(next);
  });
});

describe('a process whose leave another one waits for', () => {
  it('gives it back once the log has what came by it', async () => {
    const first = await start();
    await trade(first, 0, '1');
    const held = Promise.withResolvers<undefined>();
    log.beforeAppend = () => held.promise;
    (await venue.connection(0)).send('tick KRW-A 5 2');
    await log.tries(2);
    let isBack = false;
    const back = first.access.ends.take().then(() => (isBack = true));
    const closed = once(await venue.connection(0), 'close');
    const finished = finish(first);
    await closed;
    await new Promise(setImmediate);
    expect(isBack).toBe(false);
    held.resolve(undefined);
    await back;
    expect(await log.events('tick')).toHaveLength(2);
    await finished;
  });

  it('does so too where the venue has refused it for good', async () => {
    const first = await start();
    await trade(first, 0, '1');
    const held = Promise.withResolvers<undefined>();
    log.beforeAppend = () => held.promise;
    const socket = await venue.connection(0);
    socket.send('tick KRW-A 5 2');
    await log.tries(2);
    let isBack = false;
    const back = first.access.ends.take().finally(() => (isBack = true));
    socket.send('refuse');
    await expect(first.ingestion.failed).rejects.toMatchObject({ code: 'CONNECTION_REFUSED_BY_VENUE' });
    await new Promise(setImmediate);
    expect(isBack).toBe(false);
    held.resolve(undefined);
    expect(await back).toBe('key 1: CONNECTION_REFUSED_BY_VENUE, the last');
    expect(await log.events('tick')).toHaveLength(2);
    await finish(first);
  });

  it('keeps nobody waiting for a log that fails', async () => {
    const first = await start();
    await trade(first, 0, '1');
    log.beforeAppend = () => Promise.reject(new MarketDataError('STORE_UNAVAILABLE', 'no log', { retryable: true }));
    (await venue.connection(0)).send('tick KRW-A 5 2');
    await log.tries(3);
    const disconnected = first.ingestion.disconnect();
    expect(await first.access.ends.take()).toBe('key 1: as wanted, the last');
    await disconnected;
    log.beforeAppend = () => Promise.resolve();
    await first.ingestion.drain();
  });
});
