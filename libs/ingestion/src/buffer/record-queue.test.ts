import { describe, expect, it } from 'vitest';
import { RecordQueue } from './record-queue.js';
import type { WaitingRecord } from './waiting-record.js';

function record(name: string, replaceKey?: string, bytes = 10): WaitingRecord {
  const entry = { topic: 'market.orderbook', key: name, value: new Uint8Array(), headers: {} };
  return {
    kind: 'orderbook',
    exchange: 'upbit',
    stream: undefined,
    replaceKey,
    entry,
    gap: undefined,
    receivedAt: 0n,
    after: undefined,
    waitingSince: 0,
    bytes,
    spilledAs: undefined,
  };
}

function queueOf(...records: readonly WaitingRecord[]): RecordQueue {
  const queue = new RecordQueue();
  for (const each of records) queue.push(each);
  return queue;
}

const names = (records: readonly WaitingRecord[]) => records.map(({ entry }) => entry.key).join(' ');

describe('a queue of waiting records', () => {
  it('gives the oldest within both bounds, and one that is too large alone', () => {
    const queue = queueOf(record('a'), record('b'), record('c'), record('big', undefined, 1_000), record('d'));
    expect(names(queue.take(2, 100))).toBe('a b');
    expect(names(queue.take(9, 15))).toBe('c');
    expect(names(queue.take(9, 15))).toBe('big');
    expect([queue.length, queue.bytes]).toEqual([1, 10]);
    expect(names(queue.take(9, 15))).toBe('d');
    expect(queue.take(9, 15)).toEqual([]);
  });

  it('replaces the last record of a key where it stands', () => {
    const queue = queueOf(record('a1', 'a'), record('b1', 'b'), record('a2', 'a'));
    queue.replaceLatest(record('a3', 'a', 30));
    queue.replaceLatest(record('b2', 'b'));
    expect(names(queue.list())).toBe('a1 b2 a3');
    expect(queue.bytes).toBe(50);
  });

  it('finds the place of a key after records were taken, put back and removed', () => {
    const queue = queueOf(record('a', 'a'), record('b', 'b'), record('c', 'c'), record('d', 'd'));
    const taken = queue.take(2, 100);
    expect(queue.latest('a')).toBeUndefined();
    queue.putBack(taken);
    expect(queue.latest('a')?.entry.key).toBe('a');
    expect(names(queue.remove(({ replaceKey }) => replaceKey === 'b'))).toBe('b');
    queue.replaceLatest(record('c2', 'c'));
    expect(names(queue.list())).toBe('a c2 d');
  });

  it('keeps only the newest of each key when it is conflated', () => {
    const queue = queueOf(record('a1', 'a'), record('b1', 'b'), record('a2', 'a'), record('a3', 'a'));
    expect(names(queue.conflate())).toBe('a1 a2');
    expect(names(queue.list())).toBe('b1 a3');
  });
});
