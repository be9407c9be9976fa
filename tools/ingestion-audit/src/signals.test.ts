import { describe, expect, it } from 'vitest';
import { Signals } from './signals.ts';

const WITHIN = { what: 'it did not come', withinMs: 10_000 };

describe('signals', () => {
  it('are waited for whether they have come already or not, from a place on', async () => {
    const signals = new Signals<number>();
    signals.add(1);
    const later = signals.first((item) => item > 1, WITHIN);
    const second = signals.first((item) => item === 1, { ...WITHIN, since: signals.count });
    expect(await signals.first((item) => item === 1, WITHIN)).toBe(1);
    signals.add(2);
    signals.add(1);
    expect(await Promise.all([later, second])).toEqual([2, 1]);
    expect(signals.since(1)).toEqual([2, 1]);
  });

  it('that do not come end the waiting with what was waited for', async () => {
    await expect(new Signals().first(() => true, { ...WITHIN, withinMs: 1 })).rejects.toThrow('it did not come');
  });
});
