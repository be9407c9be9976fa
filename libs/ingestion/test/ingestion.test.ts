import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog } from '@aipx/event-log';
import type { Tick } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { Subscription } from '@aipx/venue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ingestion, type FailedConnection, type IngestionOptions } from '../src/ingestion.js';
import type { VenueInput } from '../src/venue-connection.js';
import { plainDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';
import { WatchedLog } from './watched-log.js';

const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };
const TOPICS = Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 1]));

let folder: string;
let venue: VenueServer;
let log: WatchedLog;
let abort: AbortController;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aipx-ingestion-'));
  venue = await VenueServer.listen();
  log = new WatchedLog(await EmbeddedEventLog.open({ path: join(folder, 'log'), topics: TOPICS }));
  abort = new AbortController();
});

afterEach(async () => {
  abort.abort();
  await venue.close();
  await log.close();
  rmSync(folder, { recursive: true });
});

async function start(input: Partial<VenueInput> = {}, options: Partial<IngestionOptions> = {}): Promise<Ingestion> {
  const ingestion = new Ingestion({
    log,
    venues: [{ driver: plainDriver, websocketUrl: venue.url, subscriptions: [A, B], ...input }],
    signal: abort.signal,
    ...options,
  });
  await ingestion.start();
  return ingestion;
}

/** Ends from our side and waits until all is in the log. */
async function finish(ingestion: Ingestion): Promise<void> {
  await ingestion.disconnect();
  await ingestion.drain();
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));
const idsOf = (ticks: readonly { readonly tradeId: string }[]) => ticks.map(({ tradeId }) => tradeId);

describe('ingestion from a socket', () => {
  it('takes frames to the log in the order they came, and finds nothing missing before an empty log', async () => {
    const ingestion = await start();
    const socket = await venue.connection();
    for (const id of numbers(300)) socket.send(`tick KRW-${Number(id) % 2 === 0 ? 'A' : 'B'} 5 ${id}`);
    expect(idsOf(await log.holds('tick', 300))).toEqual(numbers(300));
    await finish(ingestion);
    expect(await log.events('gap')).toEqual([]);
    expect(ingestion.status()).toMatchObject({
      publisher: { counts: { published: 300, gaps: 0, deadLetters: 0 } },
      venues: { plain: { state: 'DISCONNECTED', counts: { frames: 300, received: 300, tick: 300 } } },
    });
  });

  it('answers the venue that asks', async () => {
    const ingestion = await start();
    const socket = await venue.connection();
    const answer = new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString())));
    socket.send('ask');
    expect(await answer).toBe('answer');
    await finish(ingestion);
  });

  it('names a cut connection as one gap for each stream, between the frames around it, and goes on', async () => {
    const ingestion = await start();
    const first = await venue.connection(0);
    first.send('tick KRW-A 5 1');
    await log.holds('tick', 1);
    first.terminate();
    const second = await venue.connection(1);
    second.send('tick KRW-A 5 2');
    second.send('tick KRW-B 5 3');
    const ticks = await log.holds('tick', 3);
    await finish(ingestion);
    expect(idsOf(ticks)).toEqual(['1', '2', '3']);
    const [from, to] = ticks.map(({ receivedTimestamp }) => receivedTimestamp);
    expect(await log.events('gap')).toMatchObject([
      { symbol: 'KRW-A', channel: 'tick', from, to, cause: 'RECONNECT', missed: 0n },
      { symbol: 'KRW-B', channel: 'tick', from, to, cause: 'RECONNECT', missed: 0n },
    ]);
  });

  it('tells what a venue does otherwise than is known once, whichever connection notices it, and counts each time', async () => {
    const notices: string[] = [];
    const onNotice = (id: string, notice: string) => void notices.push(`${id} ${notice}`);
    const ingestion = await start({}, { hooks: { onNotice } });
    const first = await venue.connection(0);
    for (const text of ['odd width', 'odd width', 'tick KRW-A 5 1']) first.send(text);
    await log.holds('tick', 1);
    first.terminate();
    const second = await venue.connection(1);
    for (const text of ['odd width', 'odd code', 'tick KRW-A 5 2']) second.send(text);
    await log.holds('tick', 2);
    await finish(ingestion);
    expect(notices).toEqual(['plain width', 'plain code']);
    expect(ingestion.status().venues['plain']?.counts.notices).toBe(4);
  });

  it('fails when the venue refuses for good', async () => {
    const ingestion = await start();
    (await venue.connection()).send('refuse');
    await expect(ingestion.failed).rejects.toMatchObject({ code: 'CONNECTION_REFUSED_BY_VENUE' });
    expect(ingestion.status().venues['plain']?.state).toBe('FAILED');
    await ingestion.drain();
    expect(venue.connections).toBe(1);
  });

  it('has several connections to one venue, each with streams of its own, and speaks of them as one', async () => {
    const plain = { driver: plainDriver, websocketUrl: venue.url };
    const venues = [
      { ...plain, subscriptions: [A] },
      { ...plain, subscriptions: [B] },
    ];
    const failed: FailedConnection[] = [];
    const hooks = { onVenueFailed: (...[, , of]: [string, unknown, FailedConnection]) => void failed.push(of) };
    const ingestion = await start({}, { venues, hooks });
    const sockets = await Promise.all([venue.connection(0), venue.connection(1)]);
    const words = await Promise.all([venue.firstWords(0), venue.firstWords(1)]);
    const of = (symbol: string) => sockets[words.findIndex((text) => text?.endsWith(symbol))];
    of('KRW-A')?.send('tick KRW-A 5 1');
    of('KRW-B')?.send('tick KRW-B 5 2');
    await log.holds('tick', 2);
    expect(ingestion.status().venues).toMatchObject({
      plain: { state: 'CONNECTED', counts: { frames: 2, tick: 2 }, streams: [{ ...A }, { ...B }] },
    });
    of('KRW-B')?.send('refuse');
    of('KRW-A')?.send('tick KRW-A 5 3');
    expect(idsOf(await log.holds('tick', 3))).toContain('3');
    expect(failed).toEqual([{ symbols: ['KRW-B'], isLast: false }]);
    expect(ingestion.status().venues['plain']).toMatchObject({
      state: 'FAILED',
      connections: [
        { state: 'CONNECTED', streams: [A] },
        { state: 'FAILED', streams: [B] },
      ],
    });
    of('KRW-A')?.send('refuse');
    await expect(ingestion.failed).rejects.toMatchObject({ code: 'CONNECTION_REFUSED_BY_VENUE' });
    expect(failed[1]).toEqual({ symbols: ['KRW-A'], isLast: true });
    await finish(ingestion);
  });

  it('gives the venue’s memory the last trade of each stream, from as long ago as that is of use', async () => {
    const before = await start();
    const socket = await venue.connection(0);
    for (const text of ['tick KRW-A 5 1', 'tick KRW-B 5 2', 'tick KRW-A 5 3']) socket.send(text);
    await log.holds('tick', 3);
    await finish(before);
    const resumed: Tick[] = [];
    const memory = (since: bigint) => ({
      usefulSince: () => since,
      resume: (tick: Tick) => void resumed.push(tick),
      forget: () => undefined,
    });
    await finish(await start({ memory: memory(BigInt(Date.now() + 60_000) * 1_000_000n) }, { gapLookbackMs: 0 }));
    expect(resumed).toEqual([]);
    await finish(await start({ memory: memory(0n) }, { gapLookbackMs: 0 }));
    expect(resumed.map(({ symbol, tradeId }) => `${symbol} ${tradeId}`)).toEqual(['KRW-A 3', 'KRW-B 2']);
  });

  it('takes a venue that closes at the expected end for done: all is in the log, and nothing is missing', async () => {
    const ingestion = await start();
    const socket = await venue.connection();
    ingestion.expectEnd();
    for (const id of numbers(500)) socket.send(`tick KRW-A 5 ${id}`);
    socket.close(1000);
    await ingestion.drain();
    expect(idsOf(await log.events('tick'))).toEqual(numbers(500));
    expect(await log.events('gap')).toEqual([]);
    expect(venue.connections).toBe(1);
  });

  it('stops reading while the log is slow, so that little waits, and loses nothing', async () => {
    let mostWaiting = 0;
    let appended = 0;
    log.beforeAppend = async (entries) => {
      // Server and client share this event loop: turns of it, not time, are what would let frames in.
      for (let turn = 0; turn < 50; turn += 1) await eventLoopTurn();
      const { frames } = ingestion.status().venues['plain']?.counts ?? { frames: 0 };
      mostWaiting = Math.max(mostWaiting, frames - appended);
      appended += entries.length;
    };
    const limits = { maxWaitingFrames: 4, maxWaitingBytes: 1 << 30, maxBatchFrames: 20, lingerMs: 0 };
    const ingestion = await start({}, { pausing: limits });
    const socket = await venue.connection();
    const padding = 'x'.repeat(16 * 1024);
    for (const id of numbers(500)) socket.send(`tick KRW-A 5 ${id} ${padding}`);
    expect(idsOf(await log.holds('tick', 500))).toEqual(numbers(500));
    // The bound, and what one read of the socket had taken in already.
    expect(mostWaiting).toBeGreaterThanOrEqual(4);
    expect(mostWaiting).toBeLessThan(50);
    await finish(ingestion);
    expect(await log.events('gap')).toEqual([]);
  });
});

describe('a restart on a log that holds records', () => {
  it('names the time when nobody listened, from each stream’s last record, from 0 for one never seen', async () => {
    const before = await start();
    const socket = await venue.connection(0);
    socket.send('tick KRW-A 5 1');
    await log.holds('tick', 1);
    // So many of another stream that the log has to be read back in several steps.
    socket.send(
      numbers(2_500)
        .map((id) => `tick KRW-B 5 b${id}`)
        .join(';'),
    );
    socket.send('tick KRW-B 5 b2501');
    const stored = await log.holds('tick', 2_502);
    await finish(before);

    const C: Subscription = { symbol: 'KRW-C', channel: 'tick' };
    const after = await start({ subscriptions: [A, B, C] });
    (await venue.connection(1)).send('tick KRW-B 5 last');
    const gaps = await log.holds('gap', 3);
    const to = (await log.holds('tick', 2_503)).at(-1)?.receivedTimestamp;
    await finish(after);
    expect(gaps).toMatchObject([
      { symbol: 'KRW-A', channel: 'tick', from: stored[0]?.receivedTimestamp, to, cause: 'RECONNECT' },
      { symbol: 'KRW-B', channel: 'tick', from: stored.at(-1)?.receivedTimestamp, to, cause: 'RECONNECT' },
      { symbol: 'KRW-C', channel: 'tick', from: 0n, to, cause: 'RECONNECT' },
    ]);
    expect(await log.events('gap')).toHaveLength(3);
  });
});

describe('a replayed source', () => {
  const replay = { source: 'recording plain KRW-A', framesDone: 0 };

  it('fails when its connection is lost before the end, with the position at what is published', async () => {
    const ingestion = await start({ replay });
    const socket = await venue.connection();
    for (const frame of ['tick KRW-A 5 1', 'status', 'other', 'tick KRW-A 5 2']) socket.send(frame);
    await log.holds('tick', 2);
    socket.terminate();
    await expect(ingestion.failed).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await finish(ingestion);
    expect(idsOf(await log.events('tick'))).toEqual(['1', '2']);
    expect(await log.progressOf(replay.source)).toBe(3); // without the protocol's own
    expect(await log.events('gap')).toEqual([]);
  });

  it('goes on behind what was done, without a gap', async () => {
    const first = await start({ replay });
    const socket = await venue.connection(0);
    socket.send('tick KRW-A 5 1');
    await log.holds('tick', 1);
    await finish(first);
    const framesDone = await log.progressOf(replay.source);
    const second = await start({ replay: { ...replay, framesDone } });
    const again = await venue.connection(1);
    second.expectEnd();
    again.send('tick KRW-A 5 2');
    again.close(1000);
    await second.drain();
    expect(idsOf(await log.events('tick'))).toEqual(['1', '2']);
    expect(await log.progressOf(replay.source)).toBe(2);
    expect(await log.events('gap')).toEqual([]);
  });
});
