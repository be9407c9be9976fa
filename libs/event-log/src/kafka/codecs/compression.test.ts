import { compressSync } from 'snappy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecFor, codecWithId, COMPRESSIONS, expectWorking } from './compression.js';
import { nativePackage } from './native-package.js';
import { snappy } from './snappy.js';

describe.each(COMPRESSIONS.filter((name) => name !== 'none'))('%s', (name) => {
  const codec = codecFor(name);

  it('gives back what was compressed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.nat(20), (bytes, times) => {
        const plain = Buffer.concat(Array.from({ length: times }, () => bytes));
        expect(codec?.decompress(codec.compress(plain)).equals(plain)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('is found by its number, which Kafka gave it', () => {
    expect(codec?.id).toBe({ gzip: 1, snappy: 2, lz4: 3, zstd: 4 }[name]);
    expect(codecWithId(codec?.id ?? 0)).toBe(codec);
  });

  it('throws for bytes that are not of it', () => {
    expect(() => codec?.decompress(Buffer.from('no compressed bytes at all, of whatever kind'))).toThrow();
  });
});

it('Snappy is read in the framing of Java clients too, of many blocks', () => {
  const blocks = ['first block, ', 'second block, ', 'third block'].map((text) => compressSync(text));
  const header = Buffer.concat([Buffer.from('82534e4150505900', 'hex'), Buffer.from('0000000100000001', 'hex')]);
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    return [length, block];
  });
  expect(snappy.decompress(Buffer.concat([header, ...framed])).toString()).toBe(
    'first block, second block, third block',
  );
});

it('A number that no codec of Kafka has finds none', () => {
  expect(codecWithId(7)).toBeUndefined();
});

it('Every codec works here, and none at all does', () => {
  for (const name of COMPRESSIONS) expectWorking(name);
});

it('A codec whose package is missing is an invalid setting, and the error names the package', () => {
  const load = nativePackage<typeof snappy>('no-such-package');
  const codec = { ...snappy, compress: (bytes: Buffer) => load().compress(bytes) };
  expect(() => expectWorking('snappy', codec)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('no-such-package') as string,
    }) as Error,
  );
});

it('A codec that gives back something else is an invalid setting', () => {
  const codec = { ...snappy, decompress: () => Buffer.alloc(0) };
  expect(() => expectWorking('snappy', codec)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error);
});
