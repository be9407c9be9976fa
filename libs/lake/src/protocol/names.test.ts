import { describe, expect, it } from 'vitest';
import { eventHour, LakeNames } from './names.js';

const names = new LakeNames('market-data', { topic: 'market.tick', partition: 1 });

describe('LakeNames', () => {
  it('names a batch by topic, partition and first offset in 20 digits', () => {
    expect(names.plan(7n)).toBe('market-data/_plan/market.tick-1-00000000000000000007.json');
    expect(names.entry(9_223_372_036_854_775_807n)).toBe(
      'market-data/_manifest/market.tick-1-09223372036854775807.json',
    );
    expect(names.key(names.file('2024-05-01T13', 7n))).toBe(
      'market-data/tick/year=2024/month=05/day=01/hour=13/market.tick-1-00000000000000000007.parquet',
    );
  });

  it('knows its own plans and entries, and no other partition’s that begin alike', () => {
    expect(names.beginOf(names.plan(7n))).toBe(7n);
    expect(names.beginOf(names.entry(7n))).toBe(7n);
    const others = [
      new LakeNames('market-data', { topic: 'market.tick', partition: 11 }).plan(7n),
      new LakeNames('market-data', { topic: 'market.tick-1', partition: 2 }).plan(7n),
      `${names.plan(7n)}.bak`,
      'market-data/_plan/market.tick-1-7.json',
    ];
    expect(others.map((key) => names.beginOf(key))).toEqual([undefined, undefined, undefined, undefined]);
    expect(others[1]?.startsWith(names.plans)).toBe(true);
  });

  it.each(['', '/market-data', 'market-data/', 'market//data', 'market data'])('refuses the prefix %j', (prefix) => {
    expect(() => new LakeNames(prefix, names.partition)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('eventHour', () => {
  it.each([
    [1_714_571_999_999_999_999n, '2024-05-01T13'],
    [1_714_572_000_000_000_000n, '2024-05-01T14'],
    [0n, '1970-01-01T00'],
    [-1n, '1969-12-31T23'],
    [2n ** 63n - 1n, '2262-04-11T23'],
    [-(2n ** 63n), '1677-09-21T00'],
  ])('of %d ns is %s', (time, hour) => {
    expect(eventHour(time)).toBe(hour);
  });
});
