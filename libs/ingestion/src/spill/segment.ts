import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { MarketDataError } from '@aipx/market-model';

/** A file of the queue: a header, then records. Segments follow each other without a hole in their sequence numbers. */
export interface Segment {
  readonly path: string;
  /** Sequence of its first record. */
  readonly first: number;
  /** One more than the sequence of its last record. */
  end: number;
  bytes: number;
  /** Part of it cannot be read: it is set aside instead of deleted. */
  isDamaged: boolean;
}

/**
 * The header, little endian: 7 bytes "AIPXSPL", u8 format version, u64 first sequence, u32 crc32 of those. It follows
 * from the file's name. Its crc32 begins that of each record, so that no record of another file is ever taken for one
 * of this.
 */
export const SEGMENT_HEADER_BYTES = 20;
const CRC_AT = 16;
const VERSION_AT = 7;
const MAGIC = 'AIPXSPL';
const FORMAT_VERSION = 1;

const NAME = /^(\d{20})\.spill$/;

export function segmentPath(folder: string, first: number): string {
  return join(folder, `${String(first).padStart(20, '0')}.spill`);
}

/** The first sequence that a file name says; `undefined` when it is no segment's name. */
export function firstInName(path: string): number | undefined {
  const first = Number(NAME.exec(basename(path))?.[1]);
  return Number.isSafeInteger(first) ? first : undefined;
}

export function segmentHeader(first: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header.writeUInt8(FORMAT_VERSION, VERSION_AT);
  header.writeBigUInt64LE(BigInt(first), 8);
  header.writeUInt32LE(crc32(header.subarray(0, CRC_AT)), CRC_AT);
  return header;
}

/** What the crc32 of each record begins with. */
export function seedOf(header: Buffer): number {
  return header.readUInt32LE(CRC_AT);
}

/**
 * @throws {MarketDataError} `STORE_REFUSED` for a good header of another format version: its records are fine, so the
 * file must be neither read nor cleared away
 */
export function refuseOtherVersion(path: string, header: Buffer): void {
  if (header.length < SEGMENT_HEADER_BYTES || header.toString('latin1', 0, VERSION_AT) !== MAGIC) return;
  const version = header.readUInt8(VERSION_AT);
  if (version === FORMAT_VERSION || seedOf(header) !== crc32(header.subarray(0, CRC_AT))) return;
  throw new MarketDataError(
    'STORE_REFUSED',
    `${path} has format ${version}; this version reads format ${FORMAT_VERSION} only. Let the version that wrote it send what it holds`,
    { context: { path, version } },
  );
}
