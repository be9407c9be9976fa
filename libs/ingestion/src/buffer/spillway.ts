import { asMarketDataError, type MarketDataError } from '@aipx/market-model';
import type { SpillStatus } from '../publisher.js';
import type { SpilledEntry, SpillEntry, SpillQueue } from '../spill/spill-queue.js';
import type { RecordMaker } from './record-maker.js';
import type { WaitingRecord } from './waiting-record.js';

/** What was read back from the disk and is not acknowledged yet may take so much, and half of the memory at most. */
const MOST_READ_AHEAD = { records: 4_000, bytes: 4 * 1024 * 1024 };
const READ_AT_ONCE = { maxRecords: 500, maxBytes: 512 * 1024 };
/** Records of one write, so that a disk with little room left takes what it can. */
const WRITE_AT_ONCE = 500;
/** After the disk failed, so long (ms) it is not tried again. */
const PAUSE_MS = 1_000;

export interface SpillwayOptions {
  readonly queue: SpillQueue;
  readonly maker: RecordMaker;
  /** What all of memory may hold. */
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly now: () => number;
  readonly onFault: (error: MarketDataError) => void;
}

/**
 * The way around memory: while it is active, new records go to the end of the files, and what is sent comes from their
 * beginning, so that all of it stays one queue. What is acknowledged leaves the files.
 */
export class Spillway {
  readonly #options: SpillwayOptions;
  readonly #readAhead: { readonly records: number; readonly bytes: number };
  #active: boolean;
  #written = 0;
  #handedOut = 0;
  #handedOutBytes = 0;
  #noWriteUntil = 0;
  #noReadUntil = 0;
  #noBeginUntil = 0;

  constructor(options: SpillwayOptions) {
    this.#options = options;
    this.#readAhead = {
      records: Math.min(MOST_READ_AHEAD.records, options.maxMessages / 2),
      bytes: Math.min(MOST_READ_AHEAD.bytes, options.maxBytes / 2),
    };
    this.#active = !options.queue.isEmpty;
  }

  /** New records go to the disk. */
  get isActive(): boolean {
    return this.#active;
  }

  get status(): SpillStatus {
    const { waiting, bytes } = this.#options.queue;
    return { active: this.#active, written: this.#written, waiting, bytes };
  }

  /** It could not a moment ago, and asking is costly with all that waits. */
  get mayBegin(): boolean {
    return !this.#active && this.#options.now() >= this.#noBeginUntil;
  }

  /**
   * Begins, with what is in flight (it is sent from memory, so it is not read back) and what waits, oldest first. What a disk took
   * that does not take all of it stays in memory too, since what is behind it must not overtake it.
   *
   * @returns whether it has begun: all of those that wait are on the disk, and only there
   */
  begin(inFlight: readonly WaitingRecord[], waiting: readonly WaitingRecord[]): boolean {
    const taken = this.#write(inFlight, { handedOut: true }) && this.#writeInParts(waiting, {});
    this.#active = taken?.length === waiting.length;
    if (this.#active) return true;
    if (taken !== undefined) this.#keepInMemoryToo(waiting, taken);
    this.#noBeginUntil = this.#options.now() + PAUSE_MS;
    return false;
  }

  /** Whether the files would take these now. */
  hasRoomFor(records: readonly WaitingRecord[], reserved = false): boolean {
    return this.#options.queue.hasRoomFor(records.map(spillEntry), reserved);
  }

  /** Puts records at the end of the files. @returns whether they are there */
  store(records: readonly WaitingRecord[], reserved = false): boolean {
    return this.#write(records, { reserved }) !== undefined;
  }

  /** The next records to send, within what may be out at a time. When none is left on the disk, memory takes over. */
  readBack(): readonly WaitingRecord[] {
    const { maker } = this.#options;
    const records: WaitingRecord[] = [];
    while (this.#handedOut < this.#readAhead.records && this.#handedOutBytes < this.#readAhead.bytes) {
      const part = this.#read();
      if (part === undefined) break;
      if (part.length === 0) {
        // What is out goes on from memory; under a steady load the files would never become empty.
        this.#active = false;
        break;
      }
      for (const spilled of part) {
        const record = maker.spilled(spilled);
        records.push(record);
        this.#handedOut += 1;
        this.#handedOutBytes += record.bytes;
      }
    }
    return records;
  }

  /** Something that is on the disk waits in memory too, or is in flight. */
  get isAnyOut(): boolean {
    return this.#handedOut > 0;
  }

  /** These are in the log, or will never be taken by it. */
  acknowledge(batch: readonly WaitingRecord[]): void {
    const sequences: bigint[] = [];
    for (const { spilledAs, bytes } of batch) {
      if (spilledAs === undefined) continue;
      sequences.push(spilledAs);
      this.#handedOut -= 1;
      this.#handedOutBytes -= bytes;
    }
    if (sequences.length > 0) this.#options.queue.acknowledge(sequences);
  }

  /** For the end of the process: tries although the disk failed just now. @returns how many are there, oldest first */
  rescue(records: readonly WaitingRecord[], reserved = false): number {
    this.#noWriteUntil = 0;
    return this.#writeInParts(records, { reserved }).length;
  }

  /** As many as there is room for, oldest first. @returns their sequence numbers */
  #writeInParts(records: readonly WaitingRecord[], how: { reserved?: boolean }): readonly bigint[] {
    const written: bigint[] = [];
    for (let size = WRITE_AT_ONCE; written.length < records.length && size >= 1;) {
      const part = records.slice(written.length, written.length + size);
      // The smallest is tried in any case, so that the disk's own words are told.
      const isHopeful = size === 1 || this.hasRoomFor(part, how.reserved);
      const sequences = isHopeful ? this.#write(part, how) : undefined;
      if (sequences === undefined) size = Math.floor(size / 2);
      else written.push(...sequences);
    }
    return written;
  }

  /** `undefined` when the disk does not answer; it is asked again later. */
  #read(): readonly SpilledEntry[] | undefined {
    const { queue, now, onFault } = this.#options;
    if (now() < this.#noReadUntil) return undefined;
    try {
      return queue.read(READ_AT_ONCE);
    } catch (cause) {
      this.#noReadUntil = now() + PAUSE_MS;
      onFault(asMarketDataError(cause, 'STORE_UNAVAILABLE'));
      return undefined;
    }
  }

  /** @returns their sequence numbers; `undefined` when the disk did not take them */
  #write(
    records: readonly WaitingRecord[],
    how: { handedOut?: boolean; reserved?: boolean },
  ): readonly bigint[] | undefined {
    const { queue, now, onFault } = this.#options;
    if (records.length === 0) return [];
    if (now() < this.#noWriteUntil) return undefined;
    try {
      const sequences = queue.write(records.map(spillEntry), how);
      this.#written += records.length;
      if (how.handedOut === true) this.#markOut(records, sequences);
      return sequences;
    } catch (cause) {
      const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
      // That it is full is known without the disk, and may be over at any time.
      if (error.code !== 'STORE_FULL') this.#noWriteUntil = now() + PAUSE_MS;
      onFault(error);
      return undefined;
    }
  }

  #keepInMemoryToo(waiting: readonly WaitingRecord[], sequences: readonly bigint[]): void {
    this.#options.queue.handOut(sequences);
    this.#markOut(waiting.slice(0, sequences.length), sequences);
  }

  #markOut(records: readonly WaitingRecord[], sequences: readonly bigint[]): void {
    for (const [index, record] of records.entries()) {
      record.spilledAs = sequences[index];
      this.#handedOut += 1;
      this.#handedOutBytes += record.bytes;
    }
  }
}

function spillEntry({ entry, receivedAt }: WaitingRecord): SpillEntry {
  return { topic: entry.topic, key: entry.key, value: entry.value, headers: entry.headers, receivedAt };
}
