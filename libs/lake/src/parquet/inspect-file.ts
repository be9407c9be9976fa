import { createHash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import type { OffsetRange } from '@aipx/event-log';
import { parquetReadObjects } from 'hyparquet';
import { rangesOf } from '../protocol/offset-ranges.js';

/** What a Parquet file of the lake holds, read from the file itself. */
export interface FileContent {
  readonly rows: number;
  readonly offsets: readonly OffsetRange[];
  readonly bytes: number;
  readonly sha256: string;
}

/** @throws {Error} when the bytes are not a Parquet file with ascending `log_offset`s */
export async function inspectFile(bytes: Uint8Array<ArrayBuffer>): Promise<FileContent> {
  const rows = await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    columns: ['log_offset'],
    compressors: { ZSTD: (page) => zstdDecompressSync(page) },
  });
  let previous = -1n;
  const offsets = rows.map(({ log_offset: offset }) => {
    if (typeof offset !== 'bigint' || offset <= previous)
      throw new Error(`log_offset ${String(offset)} follows ${previous}`);
    previous = offset;
    return offset;
  });
  return {
    rows: rows.length,
    offsets: rangesOf(offsets),
    bytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
