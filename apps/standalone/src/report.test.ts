import { describe, expect, it } from 'vitest';
import { exitCodeOf, imbalances, type Summary } from './report.js';

const balanced: Omit<Summary, 'ok'> = {
  event: 'summary',
  duration_s: 2,
  rss_mb: 120,
  sent: 10,
  frames: 10,
  received: 10,
  published: 9,
  conflated: 0,
  dropped: { rejected: 1, repeated: 0, expired: 0, overflow: 0 },
  gaps: 1,
  venues: {},
  hot: { recovered: 3, recovered_gap: 1, tick: 6, orderbook: 4, gap: 2, duplicates: 1, conflicts: 0, dlq: 1 },
  cold: { recovered: 2, recovered_gap: 0, rows: 10, gap: 1, dlq: 1, files: 1, bytes: 1 },
};

describe('the sums of a run', () => {
  it('hold when every record is accounted for', () => {
    expect(imbalances(balanced)).toEqual([]);
  });

  it.each([
    ['a record lost before the log', { published: 8 }],
    ['a record lost before the database', { hot: { ...balanced.hot, tick: 5 } }],
    ['a record doubled in the database', { hot: { ...balanced.hot, orderbook: 5 } }],
    ['a conflict', { hot: { ...balanced.hot, tick: 5, conflicts: 1 } }],
    ['a record lost before the lake', { cold: { ...balanced.cold, rows: 9 } }],
    ['a gap lost before the database', { hot: { ...balanced.hot, gap: 1 } }],
    ['a gap lost before the lake', { cold: { ...balanced.cold, gap: 0 } }],
  ])('%s is seen', (_, change) => {
    expect(imbalances({ ...balanced, ...change })).not.toEqual([]);
  });

  it('frames may be missing only where a gap says so', () => {
    expect(imbalances({ ...balanced, sent: 11 })).toEqual([]);
    const without = { ...balanced, gaps: 0, hot: { ...balanced.hot, gap: 1 }, cold: { ...balanced.cold, gap: 0 } };
    expect(imbalances({ ...without, sent: 11 })).toEqual(['sent 11 frames, but read 10 and no gap says why']);
    expect(imbalances({ ...without, sent: null })).toEqual([]);
  });
});

describe('the records of a venue', () => {
  const kis = {
    ...{ sent: 12, received: 10, tick: 6, orderbook: 3, ignored: 2, repeated: 1, rejected: 0 },
    ...{ reconnects: 0, gaps: {}, missed_volume: '0', halts: 0 },
  };
  const check = (change: object) => imbalances({ ...balanced, venues: { kis: { ...kis, ...change } } });

  it('are all read, those included that nobody asked for', () => {
    expect(check({})).toEqual([]);
    expect(check({ received: 9 })).toEqual(['kis: sent 12 records, but read 11']);
  });

  it('are not compared where nobody counted them, or a frame or a connection was lost', () => {
    for (const change of [{ sent: null }, { rejected: 1 }, { reconnects: 1 }]) {
      expect(check({ received: 9, ...change })).toEqual([]);
    }
  });
});

describe('exit codes', () => {
  it('are 0 when all holds, 3 when input was rejected, 1 when it does not add up', () => {
    const clean = {
      ...balanced,
      ok: true,
      dropped: { ...balanced.dropped, rejected: 0 },
      hot: { ...balanced.hot, dlq: 0 },
      cold: { ...balanced.cold, dlq: 0 },
    };
    expect(exitCodeOf(clean)).toBe(0);
    expect(exitCodeOf({ ...clean, dropped: { ...clean.dropped, rejected: 1 } })).toBe(3);
    expect(exitCodeOf({ ...clean, hot: { ...clean.hot, dlq: 1 } })).toBe(3);
    expect(exitCodeOf({ ...balanced, ok: false })).toBe(1);
  });
});
