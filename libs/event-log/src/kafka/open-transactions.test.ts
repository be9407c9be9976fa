import { describe, expect, it } from 'vitest';
import { OpenTransactions } from './open-transactions.js';

const MINUTE_MS = 60_000;

function answer(end: bigint, highWatermark: bigint) {
  const bytes = Buffer.alloc(0);
  return { topic: 'market.tick', partition: 3, errorCode: 0, highWatermark, end, aborted: [], bytes };
}

describe('a partition that stands before an open transaction', () => {
  let now = 0;
  const told = (transactions: OpenTransactions, atMs: number, end: bigint, watermark: bigint, next = end) => {
    now = atMs;
    return transactions.note(answer(end, watermark), next);
  };

  it('is told of once a minute while nothing moves', () => {
    const transactions = new OpenTransactions(() => now);
    expect(told(transactions, 0, 10n, 12n)).toBeUndefined();
    expect(told(transactions, MINUTE_MS - 1, 10n, 15n)).toBeUndefined();
    expect(told(transactions, MINUTE_MS, 10n, 15n)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(
        /partition 3 of market.tick is not read beyond offset 10, .* 15: .* 60 s/,
      ) as string,
    });
    expect(told(transactions, 2 * MINUTE_MS - 1, 10n, 15n)).toBeUndefined();
    expect(told(transactions, 2 * MINUTE_MS, 10n, 15n)?.message).toContain('120 s');
  });

  it('is not told of while it moves on, is read up to its end, or has more before that place', () => {
    const transactions = new OpenTransactions(() => now);
    for (const [minute, end, watermark, next] of [
      [0, 10n, 12n, 10n],
      [1, 11n, 12n, 11n],
      [2, 12n, 12n, 12n],
      [3, 12n, 20n, 5n],
      [4, 12n, 20n, 12n],
    ] as const) {
      expect(told(transactions, minute * MINUTE_MS, end, watermark, next)).toBeUndefined();
    }
  });
});
