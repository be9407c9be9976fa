import type * as Snappy from 'snappy';
import type { Codec } from './codec.js';
import { nativePackage } from './native-package.js';

const load = nativePackage<typeof Snappy>('snappy');

/** The framing of xerial's snappy-java: this, two versions of four bytes, then blocks with their length before them. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = XERIAL_MAGIC.length + 8;

/** Written as one raw block, which every client reads; read as that or in the framing that Java clients write. */
export const snappy: Codec = {
  id: 2,
  compress: (bytes) => load().compressSync(bytes),
  decompress: (bytes) =>
    XERIAL_MAGIC.equals(bytes.subarray(0, XERIAL_MAGIC.length)) ? decompressFramed(bytes) : decompressBlock(bytes),
};

function decompressFramed(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < bytes.length;) {
    const end = at + 4 + bytes.readInt32BE(at);
    blocks.push(decompressBlock(bytes.subarray(at + 4, end)));
    at = end;
  }
  return Buffer.concat(blocks);
}

function decompressBlock(bytes: Buffer): Buffer {
  return load().uncompressSync(bytes, { asBuffer: true }) as Buffer;
}
