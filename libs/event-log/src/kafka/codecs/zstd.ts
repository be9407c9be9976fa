import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Codec } from './codec.js';

/** Below it the worst case takes some bytes more. */
const SMALL = 128 * 1024;
/** Node.js takes no smaller ones; what is over spares a second round for the end of the frame. */
const MIN_CHUNK = 64;

/** Level 1 makes batches of market data 0.365 of their size, the usual 3 makes them 0.368 and takes a third longer. */
const params = { [constants.ZSTD_c_compressionLevel]: 1 };

export const zstd: Codec = {
  id: 4,
  // The size told beforehand lets zstd take small tables for a small batch: half the time at 1 KB. Room for what the worst
  // input becomes, instead of the 16 KB that Node.js takes for every call, leaves the collector little to do.
  compress: (bytes) =>
    zstdCompressSync(bytes, { params, pledgedSrcSize: bytes.length, chunkSize: mostBytesOf(bytes.length) }),
  decompress: (bytes) => zstdDecompressSync(bytes),
};

/** As many bytes as zstd can need for so many, as its own `ZSTD_COMPRESSBOUND` says. */
function mostBytesOf(bytes: number): number {
  return MIN_CHUNK + bytes + (bytes >> 8) + (bytes < SMALL ? (SMALL - bytes) >> 11 : 0);
}
