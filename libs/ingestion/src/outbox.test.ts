import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from './outbox.js';

describe('what is said on a connection', () => {
  let said: string[];
  const at = () => Math.round(performance.now());

  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    said = [];
  });

  afterEach(() => vi.useRealTimers());

  it('goes at once where the venue sets no pace', () => {
    new Outbox((text) => said.push(text), 0).say('a', 'b', 'c');
    expect(said).toEqual(['a', 'b', 'c']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes in order and so far apart as the venue wants it, also what comes later', async () => {
    const origin = at();
    const outbox = new Outbox((text) => said.push(`${text} ${at() - origin}`), 100);
    outbox.say('a', 'b');
    outbox.sayAfter('d', 150);
    await vi.advanceTimersByTimeAsync(120);
    outbox.say('c');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual(['a 0', 'b 100', 'c 200', 'd 300']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with the connection, also when sending ends that', async () => {
    const outbox: Outbox = new Outbox((text) => {
      said.push(text);
      if (text === 'b') outbox.end();
    }, 100);
    outbox.say('a', 'b', 'c');
    outbox.sayAfter('d', 50);
    await vi.advanceTimersByTimeAsync(10_000);
    outbox.say('e');
    outbox.sayAfter('f', 1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual(['a', 'b']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
