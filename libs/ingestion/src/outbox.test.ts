import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from './outbox.js';

describe('what is said on a connection', () => {
  let said: string[];
  const at = () => Math.round(performance.now());
  const texts = (...all: readonly string[]) => all.map((text) => () => text);

  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    said = [];
  });

  afterEach(() => vi.useRealTimers());

  it('goes at once where the venue sets no pace', () => {
    new Outbox((text) => said.push(text), 0).say(...texts('a', 'b', 'c'));
    expect(said).toEqual(['a', 'b', 'c']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes in order and so far apart as the venue wants it, also what comes later', async () => {
    const origin = at();
    const outbox = new Outbox((text) => said.push(`${text} ${at() - origin}`), 100);
    outbox.say(...texts('a', 'b'));
    await vi.advanceTimersByTimeAsync(120);
    outbox.say(...texts('c'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual(['a 0', 'b 100', 'c 200']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is left out, and takes no time, when it is wanted no more at its turn', async () => {
    const origin = at();
    const outbox = new Outbox((text) => said.push(`${text} ${at() - origin}`), 100);
    let isWanted = true;
    outbox.say(...texts('a'), () => (isWanted ? 'b' : undefined), ...texts('c'));
    isWanted = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual(['a 0', 'c 100']);
  });

  it('ends with the connection, also when sending ends that', async () => {
    const outbox: Outbox = new Outbox((text) => {
      said.push(text);
      if (text === 'b') outbox.end();
    }, 100);
    outbox.say(...texts('a', 'b', 'c'));
    await vi.advanceTimersByTimeAsync(10_000);
    outbox.say(...texts('e'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual(['a', 'b']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
