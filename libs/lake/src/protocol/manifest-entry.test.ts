import { describe, expect, it } from 'vitest';
import { entryBytes, readEntry, type ManifestEntry } from './manifest-entry.js';

const KEY = 'market-data/_manifest/market.tick-0-00000000000000000100.json';
const NAME = 'tick/year=2024/month=05/day=01/hour=13/market.tick-0-00000000000000000100.parquet';
const entry: ManifestEntry = {
  partition: { topic: 'market.tick', partition: 0 },
  logId: 'log-1',
  begin: 100n,
  end: 200n,
  files: [
    { name: NAME, hour: '2024-05-01T13', rows: 60, first: 140n, last: 199n, bytes: 4000, sha256: 'c'.repeat(64) },
    {
      name: NAME.replace('13', '14'),
      hour: '2024-05-01T14',
      rows: 0,
      first: null,
      last: null,
      bytes: 900,
      sha256: 'd'.repeat(64),
    },
  ],
  rows: 60,
  bytes: 4900,
  missing: [{ begin: 100n, end: 140n }],
};

describe('a manifest entry', () => {
  it('reads back as it was written, files without rows and missing offsets included', () => {
    expect(readEntry(KEY, entryBytes(entry))).toEqual(entry);
  });

  it.each<[string, Partial<ManifestEntry>, RegExp]>([
    ['rows that do not add up', { rows: 61 }, /has rows 61; expected the sum/],
    ['bytes that do not add up', { bytes: 1 }, /has bytes 1; expected the sum/],
    ['more offsets than the batch has', { missing: [{ begin: 100n, end: 141n }] }, /no more rows than offsets/],
    ['missing offsets outside', { missing: [{ begin: 90n, end: 110n }] }, /within the batch/],
    ['an end before its begin', { end: 100n }, /behind begin/],
  ])('is refused with %s', (_, change, message) => {
    expect(() => readEntry(KEY, entryBytes({ ...entry, ...change }))).toThrow(message);
  });

  it('is refused when a file has rows but no offsets', () => {
    const files = entry.files.map((file) => ({ ...file, first: null }));
    expect(() => readEntry(KEY, entryBytes({ ...entry, files }))).toThrow(/offsets with rows/);
  });
});
