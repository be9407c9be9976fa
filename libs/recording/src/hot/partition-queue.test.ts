import type { LogRecord } from '@aipx/event-log';
import { encodeEvent } from '@aipx/market-proto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordHash } from '../record-hash.js';
import { heldBytes } from './held-bytes.js';
import { PartitionQueue, recordOf } from './partition-queue.js';

const PARTITION = { topic: 'market.gap', partition: 1 };
const VALUE = encodeEvent({
  kind: 'gap',
  exchange: 'upbit',
  symbol: 'KRW-BTC',
  channel: 'tick',
  from: 0n,
  to: 5n,
  cause: 'STALE',
  missed: 0n,
  missedVolume: undefined,
  detail: '',
});

function record(offset: bigint, value = VALUE): LogRecord {
  return { ...PARTITION, key: 'KRW-BTC', value, headers: {}, offset, appendedAt: 1000n + offset };
}

function records(from: bigint, to: bigint): LogRecord[] {
  return Array.from({ length: Number(to - from) }, (_, index) => record(from + BigInt(index)));
}

describe('a partition queue', () => {
  it('takes every offset once, however the records handed over overlap', () => {
    const stretch = fc.tuple(fc.bigInt(0n, 30n), fc.bigInt(0n, 10n));
    fc.assert(
      fc.property(fc.array(stretch), fc.bigInt(0n, 20n), (stretches, position) => {
        const queue = new PartitionQueue(PARTITION, position);
        for (const [from, length] of stretches) {
          // A log hands over nothing that lies behind a hole.
          const begin = from < queue.queuedTo ? from : queue.queuedTo;
          queue.add(records(begin, begin + length));
        }
        const offsets = (queue.head()?.items ?? []).map((item) => recordOf(item)?.offset);
        expect(offsets).toEqual(records(position, queue.queuedTo).map(({ offset }) => offset));
      }),
    );
  });

  it('takes offsets that the log passes over for no loss: they hold no record', () => {
    const queue = new PartitionQueue(PARTITION, 3n);
    queue.add([...records(4n, 5n), ...records(7n, 8n)]);
    const head = queue.head();
    expect(head?.items.map((item) => recordOf(item)?.offset)).toEqual([4n, 7n]);
    expect(head?.move).toMatchObject({ from: 3n, to: 8n });
  });

  it('names the stretch that was gone before it could be read', () => {
    const queue = new PartitionQueue(PARTITION, 3n);
    queue.addRetentionGap(5n, 1005n);
    queue.add(records(5n, 7n));
    const [skipped, ...others] = queue.head()?.items ?? [];
    expect(skipped).toMatchObject({
      next: 5n,
      row: { record: undefined, event: { cause: 'RETENTION', missed: 2n, from: 0n, to: 1005n } },
    });
    expect(others.map(({ next }) => next)).toEqual([6n, 7n]);
  });

  it('moves the position behind its last record, with the hash of that record', () => {
    const queue = new PartitionQueue(PARTITION, 3n);
    queue.add(records(3n, 6n));
    expect(queue.head()?.move).toEqual({ ...PARTITION, from: 3n, to: 6n, lastHash: recordHash(record(5n)) });
  });

  it('has no hash where the position ends in a stretch that is gone', () => {
    const queue = new PartitionQueue(PARTITION, 3n);
    queue.addRetentionGap(9n, 0n);
    expect(queue.head()?.move).toEqual({ ...PARTITION, from: 3n, to: 9n, lastHash: undefined });
  });

  it('keeps an undecodable record in its place, with the reason', () => {
    const queue = new PartitionQueue(PARTITION, 0n);
    queue.add([record(0n), record(1n, Buffer.from('?')), record(2n)]);
    const items = queue.head()?.items ?? [];
    expect(items.map((item) => 'row' in item)).toEqual([true, false, true]);
    expect(items[1]).toMatchObject({ error: { code: 'VALIDATION_RECORD' }, next: 2n });
  });

  it('keeps what came while its head was being stored', () => {
    const queue = new PartitionQueue(PARTITION, 0n);
    queue.add(records(0n, 3n));
    const head = queue.head();
    if (head === undefined) throw new Error('no head');
    queue.add(records(3n, 5n));
    queue.drop(head);
    expect(queue).toMatchObject({ storedTo: 3n, queuedTo: 5n, length: 2, bytes: 2 * heldBytes(record(3n)) });
    expect(queue.head()?.move).toMatchObject({ from: 3n, to: 5n });
  });

  it('has and takes nothing any more once it is revoked', () => {
    const queue = new PartitionQueue(PARTITION, 0n);
    queue.add(records(0n, 3n));
    queue.revoke();
    queue.add(records(3n, 5n));
    expect(queue).toMatchObject({ length: 0, bytes: 0, revoked: true });
    expect(queue.head()).toBeUndefined();
  });
});
