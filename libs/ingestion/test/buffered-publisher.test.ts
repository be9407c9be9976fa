import type { LogEntry } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { decodeEvent } from '@aipx/market-proto';
import { beforeEach, describe, expect, it } from 'vitest';
import { book, BufferHarness, gap, idsOf, tick, unit } from './buffer-harness.js';

let harness: BufferHarness;

beforeEach(async () => {
  harness = await BufferHarness.open();
});

describe('sending to a log that answers', () => {
  it('keeps the order of each key and says what it published', async () => {
    const { publisher, running } = harness.start();
    for (let id = 1; id <= 100; id += 1) publisher.offer(unit(tick(`KRW-${id % 7}`, id), book(`KRW-${id % 7}`, id)));
    publisher.end();
    await running;
    const ticks = await harness.log.events('tick');
    for (let key = 0; key < 7; key += 1) {
      const own = idsOf(ticks.filter(({ symbol }) => symbol === `KRW-${key}`));
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
    const { counts, venues, waiting } = publisher.status;
    expect(ticks).toHaveLength(100);
    expect([counts.published + counts.conflated, waiting]).toEqual([200, 0]);
    expect(venues.get('plain')?.published.tick).toBe(100);
  });

  it('sends one batch of a partition at a time, partitions side by side', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start();
    for (let id = 1; id <= 30; id += 1) publisher.offer(unit(tick(`KRW-${id % 7}`, id)));
    publisher.end();
    await harness.tries(3);
    const partitions = harness.tried.map(([entry]) => harness.log.partitionFor('market.tick', entry?.key ?? ''));
    expect(new Set(partitions.map(({ partition }) => partition)).size).toBe(3);
    expect(harness.tried).toHaveLength(3);
    gate.release();
    await running;
    expect(await harness.log.events('tick')).toHaveLength(30);
  });

  it('waits for the first record’s linger, no longer than a full batch takes to come', async () => {
    const { publisher, running } = harness.start({ lingerMs: 3_600_000, maxBatchRecords: 4 });
    for (let id = 1; id <= 5; id += 1) publisher.offer(unit(tick('KRW-A', id)));
    await harness.tries(1);
    expect(harness.tried[0]).toHaveLength(4);
    publisher.end();
    await running;
    expect(harness.tried.map((batch) => batch.length)).toEqual([4, 1]);
  });
});

describe('memory of a record’s own, which keeps nothing of those that the log took long ago', () => {
  const hasOwn = ({ value }: LogEntry) => value.buffer.byteLength === value.byteLength;

  it('is for the first of a queue, and for what comes once more than a batch waits', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start({ maxBatchRecords: 2 });
    publisher.offer(unit(tick('KRW-A', 1)));
    await harness.tries(1);
    for (let id = 2; id <= 20; id += 1) publisher.offer(unit(tick('KRW-A', id)));
    gate.release();
    publisher.end();
    await running;
    expect(harness.tried.flat().map(hasOwn)).toEqual([
      ...[true, true, false, false],
      ...Array.from({ length: 16 }, () => true),
    ]);
    expect(idsOf(await harness.log.events('tick'))).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('is for what comes once more bytes wait than a batch takes', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start({ maxBatchBytes: 400 });
    publisher.offer(unit(tick('KRW-A', 1)));
    await harness.tries(1);
    for (let id = 2; id <= 5; id += 1) publisher.offer(unit(tick('KRW-A', id)));
    gate.release();
    publisher.end();
    await running;
    expect(harness.tried.flat().map(hasOwn)).toEqual([true, true, false, true, true]);
  });

  it('is for what comes once nothing was taken for a while', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start();
    publisher.offer(unit(tick('KRW-A', 1)));
    await harness.tries(1);
    for (let id = 2; id <= 3; id += 1) publisher.offer(unit(tick('KRW-A', id)));
    harness.now += 100;
    publisher.offer(unit(tick('KRW-A', 4)));
    gate.release();
    publisher.end();
    await running;
    expect(harness.tried.flat().map(hasOwn)).toEqual([true, true, false, true]);
  });

  it('is for a book in an older one’s place', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start();
    publisher.offer(unit(book('KRW-A', 1)));
    await harness.tries(1);
    publisher.offer(unit(book('KRW-A', 2)));
    harness.now += 100;
    publisher.offer(unit(book('KRW-A', 3)));
    gate.release();
    publisher.end();
    await running;
    expect(harness.tried.flat().map(hasOwn)).toEqual([true, true]);
    expect(publisher.status.counts.conflated).toBe(1);
  });

  it('is for gaps that became one', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start();
    publisher.offer(unit(gap(1n, 2n)));
    await harness.tries(1);
    for (const to of [4n, 6n]) publisher.offer(unit(gap(to - 1n, to)));
    gate.release();
    publisher.end();
    await running;
    expect(harness.tried.flat().map(hasOwn)).toEqual([true, true]);
  });
});

describe('a log that fails', () => {
  it('gets the same batch again, the very same records, whatever came meanwhile', async () => {
    const away = harness.goAway();
    const { publisher, running } = harness.start();
    publisher.offer(unit(book('KRW-A', 1)));
    await harness.tries(2);
    for (let id = 2; id <= 4; id += 1) publisher.offer(unit(book('KRW-A', id)));
    await harness.tries(3);
    const [first = []] = harness.tried;
    for (const batch of harness.tried) {
      expect(batch).toHaveLength(first.length);
      for (const [at, entry] of batch.entries()) expect(entry).toBe(first[at]);
    }
    expect(publisher.status.consecutiveErrors).toBeGreaterThanOrEqual(2);
    away.back();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('orderbook'))[0]).toBe(1);
    expect(publisher.status.consecutiveErrors).toBe(0);
    expect(publisher.status.venues.get('plain')?.errors.orderbook).toBe(harness.faults.length);
  });

  it('ends the run when it refuses the same batch ten times for good, and the trades are on the disk', async () => {
    harness.answer = () => {
      throw new MarketDataError('PUBLISH_FAILED', 'not authorised to write market.tick');
    };
    const spill = harness.openSpill();
    const { publisher, running } = harness.start({}, { spill, maxHopelessErrors: 3 });
    publisher.offer(unit(tick('KRW-A', 1), tick('KRW-A', 2)));
    await expect(running).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringMatching(/3 times .* not authorised/) as string,
    });
    expect(harness.tried).toHaveLength(3);
    expect([...spill.entries()].map(({ entry }) => entry.receivedAt)).toEqual([1n, 2n]);
  });

  it('gets smaller batches when one is too large; a record that is too large alone is named by a gap', async () => {
    harness.answer = (batch) => {
      if (batch.length > 1 || batch.some(({ topic, key }) => topic === 'market.tick' && key === 'KRW-BIG')) {
        throw new MarketDataError('PUBLISH_TOO_LARGE', 'too large');
      }
    };
    const { publisher, running } = harness.start();
    publisher.offer(unit(tick('KRW-A', 1), tick('KRW-BIG', 2), tick('KRW-A', 3)));
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('tick'))).toEqual([1, 3]);
    expect(publisher.status.counts.dropped.refused).toBe(1);
    expect(await harness.log.events('gap')).toMatchObject([{ symbol: 'KRW-BIG', cause: 'BUFFER', missed: 1n }]);
  });
});

describe('books that wait', () => {
  it('are replaced by newer ones of their symbol once the oldest has waited 100 ms, never while in flight', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start();
    publisher.offer(unit(book('KRW-A', 1)));
    harness.now = 5;
    await harness.tries(1); // 1 is in flight
    for (const id of [2, 3]) publisher.offer(unit(book('KRW-A', id)));
    expect(publisher.status.counts.conflated).toBe(0);
    harness.now = 105;
    for (const id of [4, 5]) publisher.offer(unit(book('KRW-A', id)));
    expect(publisher.status.counts.conflated).toBe(3);
    gate.release();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('orderbook'))).toEqual([1, 5]);
    expect(await harness.log.events('gap')).toEqual([]);
  });

  it('are replaced once more than a batch waits', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start({ maxBatchRecords: 2 });
    publisher.offer(unit(book('KRW-A', 1), book('KRW-A', 2)));
    await harness.tries(1);
    publisher.offer(unit(book('KRW-A', 3), book('KRW-A', 4), book('KRW-A', 5)));
    expect(publisher.status.counts.conflated).toBe(0);
    publisher.offer(unit(book('KRW-A', 6)));
    expect(publisher.status.counts.conflated).toBe(3);
    gate.release();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('orderbook'))).toEqual([1, 2, 6]);
  });

  it('of two venues with the same code are kept apart', async () => {
    const gate = harness.hold();
    const { publisher, running } = harness.start();
    publisher.offer(unit(book('KRW-A', 1)));
    harness.now = 5;
    await harness.tries(1);
    publisher.offer(unit(book('KRW-A', 2)));
    harness.now = 200;
    publisher.offer(unit({ ...book('KRW-A', 3), exchange: 'other' }));
    gate.release();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('orderbook'))).toEqual([1, 2, 3]);
  });

  it('expire after their time to live, and a gap says so', async () => {
    const away = harness.goAway();
    const { publisher, running } = harness.start();
    publisher.offer(unit(book('KRW-A', 1)));
    harness.now = 5;
    await harness.tries(1);
    publisher.offer(unit(book('KRW-A', 2)));
    harness.now = 1_500;
    away.back();
    await harness.log.holds('orderbook', 1);
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('orderbook'))).toEqual([1]);
    expect(await harness.log.events('gap')).toMatchObject([
      { exchange: 'plain', symbol: 'KRW-A', channel: 'orderbook', cause: 'BUFFER', from: 1n, to: 2n, missed: 1n },
    ]);
    expect(publisher.status.counts.dropped.expired).toBe(1);
    expect(publisher.status.venues.get('plain')?.gaps).toEqual({ BUFFER: 1 });
  });

  it('expire although a fresh one stands in the first place', async () => {
    const away = harness.goAway();
    const { publisher, running } = harness.start();
    publisher.offer(unit(book('KRW-A', 1)));
    await harness.tries(1);
    const { partition } = harness.log.partitionFor('market.orderbook', 'KRW-A');
    const neighbour = ['KRW-B', 'KRW-C', 'KRW-D', 'KRW-E', 'KRW-F', 'KRW-G'].find(
      (symbol) => harness.log.partitionFor('market.orderbook', symbol).partition === partition,
    );
    publisher.offer(unit(book('KRW-A', 2), book(neighbour ?? '', 3)));
    harness.now = 1_500;
    publisher.offer(unit(book('KRW-A', 4)));
    away.back();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('orderbook'))).toEqual([1, 4]);
    expect(publisher.status.counts).toMatchObject({ conflated: 1, dropped: { expired: 1 } });
  });
});

describe('a partition that nobody leads', () => {
  it('shows in the failed sends although others are acknowledged', async () => {
    harness.answer = (batch) => {
      if (batch.some(({ key }) => key === 'KRW-A')) {
        throw new MarketDataError('PUBLISH_FAILED', 'no leader', { retryable: true });
      }
    };
    const { publisher } = harness.start();
    publisher.offer(unit(tick('KRW-A', 1)));
    await harness.tries(2);
    publisher.offer(unit(tick('KRW-B', 2)));
    expect(harness.log.partitionFor('market.tick', 'KRW-B')).not.toEqual(
      harness.log.partitionFor('market.tick', 'KRW-A'),
    );
    await harness.log.holds('tick', 1);
    expect(publisher.status.consecutiveErrors).toBeGreaterThan(0);
  });
});

describe('a full memory without a disk', () => {
  it('lets books go for trades, then the newest trades, and names every one', async () => {
    const away = harness.goAway();
    const { publisher, running } = harness.start({ maxMessages: 6 });
    publisher.offer(unit(book('KRW-A', 1), book('KRW-B', 2), book('KRW-C', 3)));
    for (let id = 11; id <= 20; id += 1) publisher.offer(unit(tick('KRW-A', id)));
    const { counts } = publisher.status;
    expect(publisher.status.waiting).toBeLessThanOrEqual(6 + 4); // gaps beside: four streams, never dropped
    away.back();
    publisher.end();
    await running;
    const ticks = idsOf(await harness.log.events('tick'));
    const books = idsOf(await harness.log.events('orderbook'));
    expect(ticks).toEqual(Array.from({ length: ticks.length }, (_, at) => 11 + at));
    expect(ticks.length + books.length + counts.dropped.overflow).toBe(13);
    const gaps = await harness.log.events('gap');
    const missed = gaps.reduce((sum, gap) => sum + Number(gap.missed), 0);
    expect(missed).toBe(counts.dropped.overflow);
    expect(gaps.filter(({ channel }) => channel === 'tick')).toMatchObject([{ to: 20n }]);
  });

  it('keeps books rather than trades when told to', async () => {
    const away = harness.goAway();
    const { publisher, running } = harness.start({ maxMessages: 3, priority: 'books' });
    publisher.offer(unit(tick('KRW-A', 1)));
    await harness.tries(1);
    publisher.offer(unit(tick('KRW-A', 2), tick('KRW-A', 3)));
    publisher.offer(unit(book('KRW-A', 4), book('KRW-B', 5)));
    away.back();
    publisher.end();
    await running;
    expect(idsOf(await harness.log.events('tick'))).toEqual([1]);
    expect(idsOf(await harness.log.events('orderbook')).toSorted()).toEqual([4, 5]);
    expect(await harness.log.events('gap')).toMatchObject([{ channel: 'tick', from: 1n, to: 3n, missed: 2n }]);
  });

  it('merges the gaps that wait, one a key and cause', async () => {
    const away = harness.goAway();
    const { publisher, running } = harness.start();
    publisher.offer(unit(gap(1n, 2n)));
    await harness.tries(1);
    for (const to of [4n, 6n, 8n]) publisher.offer(unit(gap(to - 1n, to)));
    expect(publisher.status.waiting).toBe(2);
    away.back();
    publisher.end();
    await running;
    expect(await harness.log.events('gap')).toMatchObject([
      { from: 1n, to: 2n, missed: 1n },
      { from: 3n, to: 8n, missed: 3n },
    ]);
  });
});

describe('a log that neither takes nor refuses', () => {
  it('is told by how long the oldest send has been on its way', async () => {
    const held = harness.hold();
    const { publisher, running } = harness.start();
    expect(publisher.status.unansweredMs).toBe(0);
    publisher.offer(unit(tick('KRW-A', 1)));
    await harness.tries(1);
    harness.now += 7_000;
    expect(publisher.status).toMatchObject({ unansweredMs: 7_000, consecutiveErrors: 0 });
    held.release();
    publisher.end();
    await running;
    expect(publisher.status.unansweredMs).toBe(0);
  });
});

describe('an end while the log is away', () => {
  it('says what is lost when there is no disk', async () => {
    harness.goAway();
    const { publisher, running } = harness.start();
    publisher.offer(unit(tick('KRW-A', 1), book('KRW-A', 2)));
    publisher.end(AbortSignal.abort());
    await running;
    expect(publisher.status.counts.dropped.shutdown).toBe(2);
    expect(publisher.status.lostAtEnd).toBe(1); // the trade: a book is replaced by the next one
  });

  it('counts a gap that nothing else tells of as lost too', async () => {
    harness.goAway();
    const { publisher, running } = harness.start();
    publisher.offer(unit(tick('KRW-A', 1), gap(1n, 2n)));
    publisher.end(AbortSignal.abort());
    await running;
    expect(publisher.status.lostAtEnd).toBe(2); // the trade's own gap goes with it
  });

  it('leaves trades on the disk as they are and books as gaps', async () => {
    harness.goAway();
    const spill = harness.openSpill();
    const { publisher, running } = harness.start({}, { spill });
    publisher.offer(unit(tick('KRW-A', 1), book('KRW-A', 2), tick('KRW-B', 3)));
    await harness.tries(1);
    publisher.end(AbortSignal.abort());
    await running;
    const left = [...spill.entries()].map(({ entry }) => entry);
    expect(left.filter(({ topic }) => topic === 'market.tick').map(({ receivedAt }) => receivedAt)).toEqual([1n, 3n]);
    const gaps = left.filter(({ topic }) => topic === 'market.gap').map(({ value }) => decodeEvent('gap', value));
    expect(gaps).toMatchObject([{ symbol: 'KRW-A', channel: 'orderbook', cause: 'BUFFER', missed: 1n }]);
    expect(publisher.status.counts.dropped.shutdown).toBe(1);
  });
});
