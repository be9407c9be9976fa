import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import { decodeEvent } from '@aipx/market-proto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SpillQueue } from '../src/spill/spill-queue.js';
import { book, BufferHarness, gap, idsOf, tick, unit } from './buffer-harness.js';

let harness: BufferHarness;

beforeEach(async () => {
  harness = await BufferHarness.open();
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('spilling to the disk', () => {
  it('begins when memory is full, keeps one queue through the outage, and ends when the disk is empty', async () => {
    const away = harness.goAway();
    const spill = harness.openSpill();
    const { publisher, running } = harness.start({ maxMessages: 20 }, { spill });
    for (const id of range(1, 500)) publisher.offer(unit(tick(`KRW-${id % 3}`, id)));
    expect(publisher.status.spill).toMatchObject({ active: true, waiting: 500 });
    expect(publisher.status.waiting).toBeLessThanOrEqual(20);
    away.back();
    await harness.log.holds('tick', 500);
    expect(publisher.status.spill).toMatchObject({ active: false });
    publisher.offer(unit(tick('KRW-0', 501)));
    publisher.end();
    await running;
    const ticks = await harness.log.events('tick');
    for (const key of range(0, 2)) {
      const expected = range(1, 501).filter((id) => id % 3 === key);
      expect(idsOf(ticks.filter(({ symbol }) => symbol === `KRW-${key}`))).toEqual(expected);
    }
    expect(spill.isEmpty).toBe(true);
    expect(segmentsIn(harness)).toEqual([]);
    expect(publisher.status.counts).toMatchObject({ published: 501, dropped: { overflow: 0 } });
    expect(await harness.log.events('gap')).toEqual([]);
  });

  it('has kept what is on the disk, and has not sent it before the log has it', async () => {
    const away = harness.goAway();
    const { publisher, running } = harness.start({ maxMessages: 1 }, { spill: harness.openSpill() });
    for (const id of range(1, 3)) publisher.offer(unit(tick('KRW-A', id)));
    publisher.offer(unit({ ...tick('KRW-B', 4), exchange: 'other' }));
    expect([publisher.hasKeptAllOf('other'), publisher.hasSentAllOf('other')]).toEqual([true, false]);
    away.back();
    publisher.end();
    await running;
    expect(publisher.hasSentAllOf('other')).toBe(true);
  });

  it('takes gaps along in the queue, and leaves books in memory', async () => {
    const away = harness.goAway();
    const spill = harness.openSpill();
    const { publisher, running } = harness.start({ maxMessages: 10 }, { spill });
    for (const id of range(1, 30)) publisher.offer(unit(book('KRW-A', id), tick('KRW-A', id)));
    publisher.offer({ ...unit(gap(29n, 30n)), deadLetters: [letter('plain/1/1/1')] });
    publisher.offer(unit(tick('KRW-A', 31)));
    const topics = [...spill.entries()].map(({ entry }) => entry.topic);
    expect(topics.filter((topic) => topic === 'market.tick')).toHaveLength(31);
    expect(topics.slice(-3)).toEqual(['market.gap', 'market.dlq', 'market.tick']);
    expect(topics).not.toContain('market.orderbook');
    away.back();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('tick'))).toEqual(range(1, 31));
    expect(await harness.log.events('gap')).toMatchObject([{ cause: 'RECONNECT' }]);
    expect(publisher.status.counts).toMatchObject({ gaps: 1, deadLetters: 1 });
  });

  it('writes at most one gap a second and key for books that memory lets go, however many trades go there', async () => {
    harness.goAway();
    const spill = harness.openSpill();
    const { publisher } = harness.start({ maxMessages: 10 }, { spill });
    const startedAt = performance.now();
    for (const id of range(1, 600)) publisher.offer(unit(book(`KRW-${id % 15}`, id), tick('KRW-A', id)));
    const { dropped } = publisher.status.counts;
    expect(dropped.overflow).toBeGreaterThan(300);
    const gaps = [...spill.entries()].filter(({ entry }) => entry.topic === 'market.gap');
    const seconds = (performance.now() - startedAt) / 1_000;
    for (const key of range(0, 14)) {
      const own = gaps.filter(({ entry }) => entry.key === `KRW-${key}`);
      expect(own.length).toBeLessThanOrEqual(1 + seconds);
    }
  });

  it('sends what an earlier process left there first', async () => {
    harness.goAway();
    const left = harness.openSpill();
    const earlier = harness.start({}, { spill: left });
    for (const id of range(1, 40)) earlier.publisher.offer(unit(tick('KRW-A', id)));
    earlier.publisher.end(AbortSignal.abort());
    await earlier.running;
    left.close();

    harness.answer = () => undefined;
    const { publisher, running } = harness.start({}, { spill: harness.openSpill() });
    for (const id of range(41, 60)) publisher.offer(unit(tick('KRW-A', id)));
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('tick'))).toEqual(range(1, 60));
  });

  it('names what the disk has no room for before anything later of its key is kept', async () => {
    const away = harness.goAway();
    const spill = harness.openSpill(20_000);
    const { publisher, running } = harness.start({ maxMessages: 20 }, { spill });
    for (const id of range(1, 2_000)) publisher.offer(unit(tick('KRW-A', id)));
    const { overflow } = publisher.status.counts.dropped;
    expect(overflow).toBeGreaterThan(0);
    expect(spill.bytes).toBeLessThanOrEqual(20_000);
    away.back();
    await harness.log.holds('tick', 2_000 - overflow);
    publisher.offer(unit(tick('KRW-A', 2_001)));
    publisher.end();
    await running;
    const ids = idsOf(await harness.log.events('tick'));
    const lastBefore = 2_000 - overflow;
    expect(ids).toEqual([...range(1, lastBefore), 2_001]);
    const gaps = await harness.log.events('gap');
    expect(gaps.reduce((sum, { missed }) => sum + Number(missed), 0)).toBe(overflow);
    for (const { from, to } of gaps) expect(from >= BigInt(lastBefore) && to <= 2_000n).toBe(true);
  });

  it('drops nothing in memory when the disk cannot be written, and says so', async () => {
    const away = harness.goAway();
    const spill = harness.openSpill(10); // no record fits
    const { publisher, running } = harness.start({ maxMessages: 5 }, { spill });
    for (const id of range(1, 8)) publisher.offer(unit(tick('KRW-A', id)));
    expect(publisher.status.counts.dropped.overflow).toBe(3);
    expect(harness.faults.some(({ code }) => code.startsWith('STORE_'))).toBe(true);
    away.back();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('tick'))).toEqual(range(1, 5));
    expect(await harness.log.events('gap')).toMatchObject([{ from: 5n, to: 8n, missed: 3n }]);
  });

  it('drops nothing in memory when the disk takes only a part of it, and begins anew behind that part', async () => {
    const away = harness.goAway();
    const spill = harness.openSpill();
    const { publisher, running } = harness.start({ maxMessages: 1_000 }, { spill });
    publisher.offer(unit(gap(0n, 1n)));
    for (const id of range(1, 1_000)) publisher.offer(unit(tick(`KRW-${id % 3}`, id)));
    failAfter(spill, 2); // what is in flight and the first part
    for (const id of range(1_001, 1_010)) publisher.offer(unit(tick(`KRW-${id % 3}`, id)));
    expect(publisher.status.spill).toMatchObject({ active: false });
    expect(spill.waiting).toBeGreaterThan(500);
    expect(publisher.status.counts.dropped.overflow).toBe(10);
    harness.now += 1_001;
    publisher.offer(unit(gap(1n, 2n)));
    for (const id of range(1_011, 1_500)) publisher.offer(unit(tick(`KRW-${id % 3}`, id)));
    expect(publisher.status.spill).toMatchObject({ active: true });
    away.back();
    publisher.end();
    await running;
    const ticks = await harness.log.events('tick');
    for (const key of range(0, 2)) {
      const expected = [...range(1, 1_000), ...range(1_011, 1_500)].filter((id) => id % 3 === key);
      expect(idsOf(ticks.filter(({ symbol }) => symbol === `KRW-${key}`))).toEqual(expected);
    }
    const gaps = await harness.log.events('gap');
    expect(gaps.filter(({ cause }) => cause === 'RECONNECT')).toMatchObject([{ from: 0n }, { from: 1n }]);
    expect(publisher.status.counts.dropped.overflow).toBe(10);
    expect(spill.isEmpty).toBe(true);
  });

  it('keeps what there is room for at the end, the gaps first, and names the rest', async () => {
    harness.goAway();
    const spill = harness.openSpill(20_000);
    const { publisher, running } = harness.start({}, { spill });
    for (const id of range(1, 200)) publisher.offer(unit(tick('KRW-A', id), book('KRW-B', id)));
    publisher.end(AbortSignal.abort());
    await running;
    const left = [...spill.entries()].map(({ entry }) => entry);
    const ticks = left.filter(({ topic }) => topic === 'market.tick').map(({ receivedAt }) => Number(receivedAt));
    expect(ticks).toEqual(range(1, ticks.length));
    expect(ticks.length).toBeGreaterThan(0);
    expect(publisher.status.lostAtEnd).toBe(200 - ticks.length);
    const gaps = left.filter(({ topic }) => topic === 'market.gap').map(({ value }) => decodeEvent('gap', value));
    expect(gaps).toMatchObject([
      { symbol: 'KRW-B', channel: 'orderbook', cause: 'BUFFER' },
      { symbol: 'KRW-A', channel: 'tick', cause: 'BUFFER', missed: BigInt(200 - ticks.length), to: 200n },
    ]);
  });

  it('keeps what comes after the end was enforced', async () => {
    harness.goAway();
    const spill = harness.openSpill();
    const { publisher, running } = harness.start({}, { spill });
    publisher.end(AbortSignal.abort());
    await running;
    publisher.offer(unit(gap(1n, 2n), tick('KRW-A', 3)));
    const topics = [...spill.entries()].map(({ entry }) => entry.topic);
    expect(topics.toSorted()).toEqual(['market.gap', 'market.tick']);
  });

  it('drains to the end with books that come meanwhile and win over trades in memory', async () => {
    const away = harness.goAway();
    const spill = harness.openSpill();
    const { publisher, running } = harness.start({ maxMessages: 40, priority: 'books' }, { spill });
    for (const id of range(1, 1_000)) publisher.offer(unit(tick(`KRW-${id % 5}`, id)));
    away.back();
    for (const id of range(1, 200)) {
      publisher.offer(unit(book(`KRW-${id % 50}`, id)));
      await eventLoopTurn();
    }
    publisher.end();
    await running;
    expect(new Set(idsOf(await harness.log.events('tick')))).toEqual(new Set(range(1, 1_000)));
    expect(spill.isEmpty).toBe(true);
    expect(publisher.status.waiting).toBe(0);
  });

  it('after a kill sends again at most what was not yet marked as sent, in order', async () => {
    const away = harness.goAway();
    const first = harness.openSpill();
    const { publisher, stop, running } = harness.start({ maxMessages: 20 }, { spill: first });
    for (const id of range(1, 300)) publisher.offer(unit(tick('KRW-A', id)));
    away.back();
    await harness.log.holds('tick', 100);
    harness.answer = () => new Promise(() => undefined); // never answered: as good as killed
    stop.abort();
    await running;
    first.close();

    harness.answer = () => undefined;
    const next = harness.start({}, { spill: harness.openSpill() });
    next.publisher.end();
    await next.running;
    const ids = idsOf(await harness.log.events('tick'));
    const again = ids.findIndex((id, at) => id <= (ids[at - 1] ?? 0));
    const [before, after] = again < 0 ? [ids, []] : [ids.slice(0, again), ids.slice(again)];
    expect(before).toEqual(range(1, before.length));
    expect(after).toEqual(range(after[0] ?? 301, 300));
    expect(after[0] ?? 301).toBeLessThanOrEqual(before.length + 1);
  });
});

/** The disk takes so many writes, then fails once. */
function failAfter(spill: SpillQueue, writes: number): void {
  const write = spill.write.bind(spill);
  let count = 0;
  vi.spyOn(spill, 'write').mockImplementation((...args) => {
    count += 1;
    if (count === writes + 1) throw new MarketDataError('STORE_UNAVAILABLE', 'ENOSPC', { retryable: true });
    return write(...args);
  });
}

function segmentsIn({ folder }: BufferHarness): string[] {
  const spill = join(folder, 'spill');
  return existsSync(spill) ? readdirSync(spill).filter((name) => /\d{20}/.test(name)) : [];
}

function letter(position: string) {
  const bytes = new Uint8Array([1]);
  return { position, reason: 'VALIDATION_FRAME', message: 'not a frame', bytes, exchange: 'plain' } as const;
}
