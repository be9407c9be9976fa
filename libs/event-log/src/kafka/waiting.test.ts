import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it, vi } from 'vitest';
import { patiently } from './waiting.js';

describe('patience', () => {
  it('tells of no failure before so many ms have passed, however many tries that are, and of each one from then on', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const failures = [0, 0, 2_999, 3_000, 3_001];
    const told: number[] = [];
    const answer = await patiently(
      async () => {
        const at = failures.shift();
        if (at === undefined) return 'an answer';
        clock.mockReturnValue(at);
        throw new MarketDataError('CONNECTION_FAILED', `failed at ${at}`, { retryable: true });
      },
      { signal: new AbortController().signal, onFault: () => told.push(performance.now()), quietMs: 3_000 },
    );
    clock.mockRestore();
    expect(answer).toBe('an answer');
    expect(told).toEqual([3_000, 3_001]);
  });
});
