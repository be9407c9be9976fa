import { MarketDataError } from '@aipx/market-model';
import type { Codec } from './codec.js';
import { gzip } from './gzip.js';
import { lz4 } from './lz4.js';
import { snappy } from './snappy.js';
import { zstd } from './zstd.js';

const CODECS = { gzip, snappy, lz4, zstd };

export type Compression = 'none' | keyof typeof CODECS;

export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

export function codecFor(compression: Compression): Codec | undefined {
  return compression === 'none' ? undefined : CODECS[compression];
}

/** The codec with Kafka's number `id`; `undefined` for a number that no codec of Kafka has. */
export function codecWithId(id: number): Codec | undefined {
  return Object.values(CODECS).find((codec) => codec.id === id);
}

/** @throws {MarketDataError} `CONFIG_INVALID` for a codec that does not work here, such as one without its native package */
export function expectWorking(compression: Compression, codec = codecFor(compression)): void {
  const sample = Buffer.from(compression);
  try {
    if (codec?.decompress(codec.compress(sample)).equals(sample) ?? true) return;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unusable(compression, why, cause);
  }
  throw unusable(compression, 'it does not give back what it was given', undefined);
}

function unusable(compression: Compression, why: string, cause: unknown): MarketDataError {
  return new MarketDataError(
    'CONFIG_INVALID',
    `compression ${compression} does not work on this machine: ${why}; install its package, or choose gzip or zstd`,
    { cause, context: { compression } },
  );
}
