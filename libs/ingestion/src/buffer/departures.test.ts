import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Departures } from './departures.js';

describe('Lanes that wait for company', () => {
  let departures: Departures;
  let left: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    departures = new Departures(() => Date.now());
    left = [];
  });

  afterEach(() => vi.useRealTimers());

  function join(name: string, inMs: number): () => void {
    const { over, leave } = departures.join(Date.now() + inMs);
    void over.then(() => left.push(name));
    return leave;
  }

  it('leave together when the first one is due', async () => {
    join('late', 5);
    join('early', 3);
    join('middle', 4);
    await vi.advanceTimersByTimeAsync(2);
    expect(left).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(left).toEqual(['late', 'early', 'middle']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wait their own time when they come behind a departure', async () => {
    join('first', 3);
    await vi.advanceTimersByTimeAsync(3);
    join('second', 5);
    await vi.advanceTimersByTimeAsync(4);
    expect(left).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(1);
    expect(left).toEqual(['first', 'second']);
  });

  it('leave alone when they have to go at once, and the others when they are due', async () => {
    const leave = join('full', 3);
    join('other', 5);
    leave();
    await vi.advanceTimersByTimeAsync(0);
    expect(left).toEqual(['full']);
    await vi.advanceTimersByTimeAsync(5);
    expect(left).toEqual(['full', 'other']);
  });

  it('leave no timer behind when the last one has gone', () => {
    join('only', 1_000)();
    expect(vi.getTimerCount()).toBe(0);
  });
});
