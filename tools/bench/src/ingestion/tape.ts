import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';

/** A record as a producer gets it. */
export interface TapedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

const READ_LIMITS = { maxRecords: 2_000, maxBytes: 1024 * 1024 };
const LENGTH_BYTES = 4;
const HEAD_BYTES = 2 * LENGTH_BYTES;

/**
 * Copies what the partitions hold into a file, in the order in which the log took it, so that whoever plays it sends to
 * the partitions in the same mix.
 */
export async function writeTape(
  path: string,
  log: EventLog,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<void> {
  await pipeline(Readable.from(encoded(merged(log, partitions))), createWriteStream(path), { signal });
}

/** Hands out a tape from its beginning, with some records read ahead. */
export class TapePlayer {
  readonly #chunks: AsyncGenerator<readonly TapedRecord[]>;
  #records: TapedRecord[] = [];

  constructor(path: string) {
    this.#chunks = readTape(path);
  }

  /** So many, or those that are left. */
  async take(count: number): Promise<readonly TapedRecord[]> {
    while (this.#records.length < count) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      this.#records.push(...value);
    }
    return this.#records.splice(0, count);
  }
}

/** Some at a time. Of a file that ends within a record, that record is left out. */
async function* readTape(path: string): AsyncGenerator<readonly TapedRecord[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([rest, chunk]);
    const records: TapedRecord[] = [];
    let at = 0;
    for (;;) {
      if (at + HEAD_BYTES > bytes.length) break;
      const end = at + HEAD_BYTES + bytes.readUInt32BE(at) + bytes.readUInt32BE(at + LENGTH_BYTES);
      if (end > bytes.length) break;
      records.push(decoded(bytes.subarray(at, end)));
      at = end;
    }
    rest = bytes.subarray(at);
    yield records;
  }
}

/** Each record is the lengths of its label and its value, then both. */
async function* encoded(records: AsyncIterable<LogRecord>): AsyncGenerator<Buffer> {
  for await (const { topic, partition, key, headers, value } of records) {
    const label = Buffer.from(JSON.stringify({ topic, partition, key, headers }));
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUInt32BE(label.length, 0);
    head.writeUInt32BE(value.length, LENGTH_BYTES);
    yield Buffer.concat([head, label, value]);
  }
}

function decoded(bytes: Buffer): TapedRecord {
  const labelEnd = HEAD_BYTES + bytes.readUInt32BE(0);
  const label = JSON.parse(bytes.toString('utf8', HEAD_BYTES, labelEnd)) as Omit<TapedRecord, 'value'>;
  return { ...label, value: bytes.subarray(labelEnd) };
}

/** All records of the partitions, by the time at which the log took them. */
async function* merged(log: EventLog, partitions: readonly TopicPartition[]): AsyncGenerator<LogRecord> {
  const readers = await Promise.all(partitions.map(async (partition) => Reader.open(log, partition)));
  for (;;) {
    const heads = readers.filter(({ head }) => head !== undefined);
    if (heads.length === 0) return;
    const first = heads.reduce((one, other) => (other.appendedAt < one.appendedAt ? other : one));
    if (first.head !== undefined) yield first.head;
    await first.next();
  }
}

class Reader {
  readonly #log: EventLog;
  readonly #partition: TopicPartition;
  readonly #end: bigint;
  #next: bigint;
  #records: readonly LogRecord[] = [];
  #at = 0;

  private constructor(log: EventLog, partition: TopicPartition, { begin, end }: OffsetRange) {
    this.#log = log;
    this.#partition = partition;
    this.#next = begin;
    this.#end = end;
  }

  static async open(log: EventLog, partition: TopicPartition): Promise<Reader> {
    const reader = new Reader(log, partition, await log.range(partition));
    await reader.#fill();
    return reader;
  }

  /** `undefined` at the end. */
  get head(): LogRecord | undefined {
    return this.#records[this.#at];
  }

  get appendedAt(): bigint {
    return this.head?.appendedAt ?? 0n;
  }

  async next(): Promise<void> {
    this.#at += 1;
    if (this.#at === this.#records.length) await this.#fill();
  }

  async #fill(): Promise<void> {
    this.#at = 0;
    this.#records = this.#next < this.#end ? await this.#log.read(this.#partition, this.#next, READ_LIMITS) : [];
    this.#next += BigInt(this.#records.length);
  }
}
