import { parseDecimal, type Gap } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { GapMerger } from './gap-merger.js';

const SECOND = 1_000_000_000n;

function gap(from: bigint, to: bigint, change: Partial<Gap> = {}): Gap {
  return {
    kind: 'gap',
    exchange: 'upbit',
    symbol: 'KRW-BTC',
    channel: 'tick',
    from,
    to,
    cause: 'SEQUENCE',
    missed: 1n,
    missedVolume: parseDecimal('0.1'),
    detail: 'x',
    ...change,
  };
}

describe('gaps of one key and cause', () => {
  it('go at once when a second has passed since the last', () => {
    const merger = new GapMerger();
    expect(merger.add(gap(1n, 2n), 0n)).toEqual(gap(1n, 2n));
    expect(merger.add(gap(3n, 4n), SECOND)).toEqual(gap(3n, 4n));
    expect(merger.flush(SECOND)).toEqual([]);
  });

  it('wait and merge within a second: earliest, latest, sum', () => {
    const merger = new GapMerger();
    merger.add(gap(0n, 1n), 0n);
    expect(merger.add(gap(5n, 9n), 1n)).toBeUndefined();
    expect(merger.add(gap(3n, 7n, { missed: 2n, missedVolume: parseDecimal('0.2') }), 2n)).toBeUndefined();
    expect(merger.due(SECOND - 1n)).toEqual([]);
    expect(merger.due(SECOND)).toEqual([gap(3n, 9n, { missed: 3n, missedVolume: parseDecimal('0.3') })]);
    expect(merger.due(5n * SECOND)).toEqual([]);
  });

  it('keep an unknown count and an unknown volume unknown', () => {
    const merger = new GapMerger();
    merger.add(gap(0n, 1n), 0n);
    merger.add(gap(1n, 2n, { missed: 0n, missedVolume: undefined }), 1n);
    merger.add(gap(2n, 3n, { missed: 5n }), 2n);
    expect(merger.flush(3n)).toEqual([gap(1n, 3n, { missed: 0n, missedVolume: undefined })]);
  });

  it('do not hold up other symbols, channels or causes', () => {
    const merger = new GapMerger();
    merger.add(gap(0n, 1n), 0n);
    for (const change of [{ symbol: 'KRW-ETH' }, { channel: 'orderbook' as const }, { cause: 'RECONNECT' as const }]) {
      expect(merger.add(gap(0n, 1n, change), 1n)).toBeDefined();
    }
  });
});
