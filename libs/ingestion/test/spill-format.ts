/** Reads the files of a spill queue by their written format, without the code that wrote them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export interface StoredRecord {
  readonly sequence: number;
  readonly position: number;
  readonly bytes: number;
  readonly topic: string;
  readonly key: string;
  readonly headers: unknown;
  readonly value: Buffer;
  readonly receivedAt: bigint;
}

export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  readonly records: readonly StoredRecord[];
  /** Behind the last whole record. */
  readonly torn: number;
}

export function storedFiles(folder: string): readonly StoredFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.spill'));
  return names.sort().map((name) => storedFile(name, readFileSync(join(folder, name))));
}

function storedFile(name: string, content: Buffer): StoredFile {
  // The process was killed between making the file and writing its header.
  if (content.length < 20) return { name, bytes: content.length, records: [], torn: content.length };
  const first = BigInt(name.slice(0, 20));
  const seed = content.readUInt32LE(16);
  if (content.toString('latin1', 0, 7) !== 'AIPXSPL' || content[7] !== 1) throw new Error(`${name}: wrong magic`);
  if (content.readBigUInt64LE(8) !== first) throw new Error(`${name}: header of another file`);
  if (crc32(content.subarray(0, 16)) !== seed) throw new Error(`${name}: wrong checksum of the header`);
  const records: StoredRecord[] = [];
  let position = 20;
  while (position + 16 <= content.length) {
    const length = content.readUInt32LE(position + 4);
    if (content.toString('latin1', position, position + 4) !== 'AXSR') throw new Error(`${name}: no record`);
    if (content.readUInt32LE(position + 8) + length !== 0xffffffff) throw new Error(`${name}: wrong length`);
    const body = content.subarray(position + 16, position + 16 + length);
    if (body.length < length) break;
    if (crc32(body, seed) !== content.readUInt32LE(position + 12)) throw new Error(`${name}: wrong checksum`);
    const parts = [16, 20, 24].map((at) => body.readUInt32LE(at));
    const ends = [28, ...parts].map((_, index, all) => all.slice(0, index + 1).reduce((sum, each) => sum + each, 0));
    const [topicAt = 0, keyAt = 0, headersAt = 0, valueAt = 0] = ends;
    records.push({
      sequence: Number(body.readBigUInt64LE(0)),
      position,
      bytes: 16 + length,
      receivedAt: body.readBigInt64LE(8),
      topic: body.toString('utf8', topicAt, keyAt),
      key: body.toString('utf8', keyAt, headersAt),
      headers: JSON.parse(body.toString('utf8', headersAt, valueAt)),
      value: body.subarray(valueAt),
    });
    position += 16 + length;
  }
  return { name, bytes: content.length, records, torn: content.length - position };
}

/** The higher one of the two slots; `undefined` without the file. */
export function storedMark(folder: string): number | undefined {
  if (!readdirSync(folder).includes('mark')) return undefined;
  const content = readFileSync(join(folder, 'mark'));
  const marks = [0, 512].flatMap((at) => {
    const slot = content.subarray(at, at + 20);
    const isGood = slot.length === 20 && crc32(slot.subarray(0, 16)) === slot.readUInt32LE(16);
    return isGood && slot.toString('latin1', 0, 4) === 'AXSM' ? [Number(slot.readBigUInt64LE(8))] : [];
  });
  return marks.length === 0 ? undefined : Math.max(...marks);
}
