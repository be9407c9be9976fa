import { createHash } from 'node:crypto';
import type { OffsetRange, TopicPartition } from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import { decodeRecord, unpackRecords, type PackedRecords } from '@aipx/recording';
import { eventHour } from '../protocol/names.js';
import { rangesOf } from '../protocol/offset-ranges.js';
import { eventTable, type ColumnContext, type EventRow, type EventTable } from './event-columns.js';
import type { Compression } from './parquet-table.js';

export interface EncodeJob {
  readonly partition: TopicPartition;
  readonly records: PackedRecords;
  readonly compression: Compression;
  /**
   * A plan to follow instead of deciding: what it calls undecodable stays out, and each of its hours gets a file. What
   * fits in none of them stays out too; the caller finds it by the count.
   */
  readonly follow?: { readonly undecodable: readonly OffsetRange[]; readonly hours: readonly string[] };
}

export interface EncodedBatch {
  /** Behind the last record taken, when the next one would have needed a file too many; absent when all were taken. */
  readonly cutAt?: bigint;
  /** Of the records given, those that hold no event. */
  readonly undecodable: readonly OffsetRange[];
  /** Ascending by hour. */
  readonly hours: readonly HourFile[];
}

export interface HourFile {
  readonly hour: string;
  readonly rows: number;
  readonly offsets: readonly OffsetRange[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
}

/**
 * Files that one batch may have. A batch that spans more hours is cut by event time: each file costs memory while it is
 * written and a call to the store.
 */
const MOST_HOURS = 256;
const NANOS_PER_MILLI = 1_000_000n;
const NANOS_PER_HOUR = 3_600_000n * NANOS_PER_MILLI;

/** Decodes a batch and writes one file for each hour of event time. Pure: the same job gives the same bytes. */
export function encodeBatch({ partition, records, compression, follow }: EncodeJob): EncodedBatch {
  const hours = new HourTables({ ...partition, compression }, follow?.hours);
  const undecodable: bigint[] = [];
  const skipped = (offset: bigint) => follow?.undecodable.some(({ begin, end }) => begin <= offset && offset < end);
  let takenTo = 0n;
  let cutAt: bigint | undefined;
  for (const { offset, value } of unpackRecords(records)) {
    const decoded = decodeRecord({ topic: partition.topic, value });
    if ('error' in decoded) undecodable.push(offset);
    else if (!skipped(offset) && !hours.append({ event: decoded.event, offset })) {
      cutAt = takenTo;
      break;
    }
    takenTo = offset + 1n;
  }
  return { ...(cutAt !== undefined && { cutAt }), undecodable: rangesOf(undecodable), hours: hours.toFiles() };
}

interface HourTable {
  readonly table: EventTable;
  readonly offsets: bigint[];
}

class HourTables {
  readonly #context: ColumnContext;
  readonly #hours = new Map<string, HourTable>();
  readonly #fixed: boolean;
  /** Of the last row: neighbours share their hour mostly, and its name takes as long to make as a tenth of a row. */
  #last = { hour: '', begin: 0n, end: 0n };

  /** @param hours the only ones to take rows for; any hour if absent */
  constructor(context: ColumnContext, hours: readonly string[] | undefined) {
    this.#context = context;
    this.#fixed = hours !== undefined;
    for (const hour of hours ?? []) this.#add(hour);
  }

  /** `false` when the row needs an hour more than a batch may have. A row of an hour that the plan lacks is left out. */
  append(row: EventRow): boolean {
    const hour = this.#hourOf(eventTime(row.event));
    const known = this.#hours.get(hour);
    if (known === undefined && this.#fixed) return true;
    if (known === undefined && this.#hours.size === MOST_HOURS) return false;
    const { table, offsets } = known ?? this.#add(hour);
    table.append(row);
    offsets.push(row.offset);
    return true;
  }

  toFiles(): HourFile[] {
    const ascending = [...this.#hours].sort(([a], [b]) => (a < b ? -1 : 1));
    return ascending.map(([hour, { table, offsets }]) => {
      const bytes = table.toBytes();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { hour, rows: table.rows, offsets: rangesOf(offsets), bytes, sha256 };
    });
  }

  #hourOf(time: bigint): string {
    if (time < this.#last.begin || time >= this.#last.end) {
      const hour = eventHour(time);
      const begin = BigInt(Date.parse(`${hour}:00Z`)) * NANOS_PER_MILLI;
      this.#last = { hour, begin, end: begin + NANOS_PER_HOUR };
    }
    return this.#last.hour;
  }

  #add(hour: string): HourTable {
    const added = { table: eventTable(this.#context), offsets: [] };
    this.#hours.set(hour, added);
    return added;
  }
}

/** The venue's time; for a gap, when it ended. */
function eventTime(event: MarketEvent): bigint {
  return event.kind === 'gap' ? event.to : event.timestamp;
}
