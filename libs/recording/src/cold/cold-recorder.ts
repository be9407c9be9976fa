import type { CommittedOffset, EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { asMarketDataError, MarketDataError, type Nanoseconds } from '@aipx/market-model';
import { kindOfTopic } from '@aipx/market-proto';
import { DeadLetters } from '../dead-letters.js';
import { Outages } from '../outages.js';
import type { Recorder, RecorderFault, RecorderStatus } from '../recorder.js';
import { untilAborted } from '../until-aborted.js';
import { ColdCounter, type ColdCounts } from './cold-counts.js';
import type { ColdBatch, ColdPartition, ColdSession, ColdStore, StoredBatch } from './cold-store.js';
import { PartitionBuffer, type BatchLimits } from './partition-buffer.js';
import { sendUndecodable } from './undecodable.js';

export interface ColdRecorderOptions {
  readonly store: ColdStore;
  readonly log: EventLog;
  /** Ends every wait of the recorder. */
  readonly signal: AbortSignal;
  /** Rows of a partition that make a batch. @default 100_000 */
  readonly batchRows?: number;
  /** Bytes of encoded records of a partition that make a batch. @default 16 MiB */
  readonly batchBytes?: number;
  /** How long a record waits for its batch to fill, in ms. @default 3_600_000 */
  readonly batchTimeoutMs?: number;
  /** Bytes that the packed records take in all; at the limit the largest batch is cut. @default 256 MiB */
  readonly maxBufferBytes?: number;
  /** Whether this sink sends undecodable records to the dead letter topic: when the hot one is off. @default false */
  readonly deadLetters?: boolean;
  /** Called with each failure of sending dead letters, which is waited out. Of its outages the store tells by itself. */
  readonly onFault?: (fault: MarketDataError) => void;
  /** Called with each batch that this recorder stored, and the milliseconds that it took. */
  readonly onStored?: (batch: StoredBatch, millis: number) => void;
}

const MIB = 1024 * 1024;
/** A pack counts its bytes in 32 bits; half of that leaves room for the record that makes a batch full. */
const LARGEST_BATCH_BYTES = 2 ** 31;
/** `setTimeout` counts in 32 bits and fires at once beyond them. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The cold side of the log: buffers the encoded records of each partition, cuts them into batches by rows, bytes,
 * waiting time or memory, and hands these to the cold store. A partition's next batch fills while its last is stored.
 */
export class ColdRecorder implements Recorder {
  readonly name = 'cold';
  readonly #store: ColdStore;
  readonly #log: EventLog;
  readonly #signal: AbortSignal;
  readonly #limits: BatchLimits;
  readonly #maxBufferBytes: number;
  readonly #deadLetters: DeadLetters | undefined;
  readonly #onStored: (batch: StoredBatch, millis: number) => void;
  readonly #outages: Outages;
  /** Of the store, by partition. */
  readonly #faults = new Map<string, RecorderFault>();
  readonly #counter = new ColdCounter();
  readonly #partitions = new Map<string, AssignedPartition>();
  readonly #opening = new Map<string, OpeningPartition>();
  #failure = new AbortController();
  #pauses = 0;

  constructor(options: ColdRecorderOptions) {
    this.#store = options.store;
    this.#log = options.log;
    this.#signal = options.signal;
    this.#limits = {
      rows: within('batchRows', options.batchRows ?? 100_000),
      bytes: within('batchBytes', options.batchBytes ?? 16 * MIB, LARGEST_BATCH_BYTES),
      waitMs: within('batchTimeoutMs', options.batchTimeoutMs ?? 3_600_000, LONGEST_TIMEOUT_MS),
    };
    this.#maxBufferBytes = within('maxBufferBytes', options.maxBufferBytes ?? 256 * MIB);
    this.#deadLetters = options.deadLetters === true ? new DeadLetters(options.log) : undefined;
    this.#onStored = options.onStored ?? (() => undefined);
    this.#outages = new Outages(options.onFault ?? (() => undefined));
  }

  get counts(): ColdCounts {
    return this.#counter.counts;
  }

  get failure(): AbortSignal {
    return this.#failure.signal;
  }

  get status(): RecorderStatus {
    const buffers = this.#all().map(({ buffer }) => buffer);
    return {
      bufferedRecords: sum(buffers.map(({ rowsHeld }) => rowsHeld)),
      bufferedBytes: this.#bufferedBytes,
      waitingSince: earliest(buffers.map(({ waitingSince }) => waitingSince)),
      newestStored: latest(buffers.map(({ newestStored }) => newestStored)),
      fault: this.#faults.values().next().value ?? this.#outages.fault,
      pauses: this.#pauses,
    };
  }

  storedTo(partition: TopicPartition): bigint | undefined {
    return this.#partitions.get(nameOf(partition))?.buffer.position;
  }

  /** Where the finished batches end, with the last one's first offset as metadata. */
  position(partition: TopicPartition): CommittedOffset | undefined {
    return this.#partitions.get(nameOf(partition))?.buffer.hint;
  }

  async onAssigned(
    partition: TopicPartition,
    range: OffsetRange,
    committed?: CommittedOffset,
    signal: AbortSignal = this.#signal,
  ): Promise<bigint> {
    kindOfTopic(partition.topic); // a topic without events is refused before anything is read
    await this.onRevoked(partition);
    this.#throwFailure();
    signal.throwIfAborted();
    const name = nameOf(partition);
    const revoked = new AbortController();
    const revoke = () => revoked.abort(signal.reason);
    signal.addEventListener('abort', revoke, { once: true });
    const begin = this.#open(partition, range, committed, revoked).finally(() => {
      signal.removeEventListener('abort', revoke);
      this.#opening.delete(name);
    });
    this.#opening.set(name, { begin, revoked });
    return begin;
  }

  async onRecords(
    partition: TopicPartition,
    records: readonly LogRecord[],
    signal: AbortSignal = this.#signal,
  ): Promise<void> {
    const assigned = this.#assigned(partition);
    const { buffer } = assigned;
    for (const record of records) {
      if (buffer.full) {
        if (buffer.storing !== undefined) this.#pauses += 1;
        await this.#cut(assigned, signal);
      }
      if (record.offset >= buffer.position) buffer.append(record); // below it: another owner's batch reached further
    }
    if (buffer.full && buffer.storing === undefined) await this.#cut(assigned, signal);
    await this.#keepWithinMemory(signal);
    this.#throwFailure();
  }

  async onRevoked(partition: TopicPartition): Promise<void> {
    const name = nameOf(partition);
    const opening = this.#opening.get(name);
    opening?.revoked.abort(new MarketDataError('STORE_POSITION_MOVED', `${name} was revoked while it was opened`));
    await opening?.begin.catch(() => undefined); // who assigned it hears of it
    const assigned = this.#partitions.get(name);
    if (assigned === undefined) return;
    assigned.buffer.forget();
    assigned.revoked.abort();
    await assigned.buffer.storing;
    this.#partitions.delete(name);
    this.#faults.delete(name);
    if (this.#partitions.size === 0 && this.#failure.signal.aborted) this.#failure = new AbortController();
  }

  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const failure = this.#failure.signal; // there is a new one once all is revoked
    await Promise.all(
      this.#all().map(async (assigned) => {
        await this.#cut(assigned, signal);
        await untilAborted(assigned.buffer.storing, signal);
      }),
    );
    failure.throwIfAborted();
    this.#throwFailure();
  }

  /** Takes the partition up, unless it is revoked meanwhile. Returns where reading begins. */
  async #open(
    partition: TopicPartition,
    range: OffsetRange,
    committed: CommittedOffset | undefined,
    revoked: AbortController,
  ): Promise<bigint> {
    const session = this.#session(partition, AbortSignal.any([this.#signal, revoked.signal]));
    const opened = await this.#store.open(partition, session, committed).finally(() => {
      this.#faults.delete(nameOf(partition));
      revoked.signal.throwIfAborted();
    });
    const begin = opened.position > range.begin ? opened.position : range.begin;
    this.#counter.opened(partition, opened, range.end);
    const onWaited = () => void this.#cut(assigned, this.#signal).catch(() => undefined);
    const assigned = { partition, buffer: new PartitionBuffer(this.#limits, opened, begin, onWaited), revoked };
    this.#partitions.set(nameOf(partition), assigned);
    return begin;
  }

  #session(partition: TopicPartition, signal: AbortSignal): ColdSession {
    const name = nameOf(partition);
    return {
      signal,
      onUndecodable: async (offsets) => {
        const letters = this.#deadLetters;
        if (letters === undefined) return;
        const send = () => sendUndecodable(this.#log, letters, partition, offsets, signal);
        await this.#outages.waitOut(send, signal).finally(() => letters.stored(partition));
      },
      onFault: (error, failures) => {
        this.#faults.set(name, { since: this.#faults.get(name)?.since ?? Date.now(), error, failures });
      },
      onRecovered: () => this.#faults.delete(name),
    };
  }

  /** Begins to store what the partition has, as soon as what it had before is stored. */
  async #cut({ partition, buffer, revoked }: AssignedPartition, signal: AbortSignal): Promise<void> {
    while (buffer.storing !== undefined) await untilAborted(buffer.storing, signal);
    this.#throwFailure();
    buffer.store((opened, batch) => this.#write(partition, opened, batch, revoked.signal));
  }

  async #write(
    partition: TopicPartition,
    opened: ColdPartition,
    batch: ColdBatch,
    revoked: AbortSignal,
  ): Promise<void> {
    let begun = performance.now();
    try {
      for await (const stored of opened.write(batch)) {
        this.#counter.stored(partition, stored);
        this.#onStored(stored, performance.now() - begun);
        begun = performance.now();
      }
    } catch (cause) {
      if (revoked.aborted || this.#signal.aborted) return; // whoever owns the partition next finishes what was begun
      this.#failure.abort(asMarketDataError(cause, 'STORE_UNAVAILABLE'));
    }
  }

  async #keepWithinMemory(signal: AbortSignal): Promise<void> {
    while (this.#bufferedBytes > this.#maxBufferBytes) {
      const filling = this.#all().filter(({ buffer }) => buffer.bytesFilling > 0);
      const storing = this.#all().flatMap(({ buffer }) => buffer.storing ?? []);
      // What is being stored makes room by itself; cutting more than that would only make small files.
      const enough = sum(filling.map(({ buffer }) => buffer.bytesFilling)) <= this.#maxBufferBytes;
      const idle = filling.filter(({ buffer }) => buffer.storing === undefined);
      const largest = idle.sort((a, b) => b.buffer.bytesFilling - a.buffer.bytesFilling)[0];
      if (largest !== undefined && !(enough && storing.length > 0)) await this.#cut(largest, signal);
      else {
        this.#pauses += 1;
        await untilAborted(Promise.race(storing), signal);
      }
      this.#throwFailure();
    }
  }

  /** Of packed records, those being stored included. */
  get #bufferedBytes(): number {
    return sum(this.#all().map(({ buffer }) => buffer.bytesHeld));
  }

  #all(): readonly AssignedPartition[] {
    return [...this.#partitions.values()];
  }

  #assigned(partition: TopicPartition): AssignedPartition {
    const assigned = this.#partitions.get(nameOf(partition));
    if (assigned === undefined) throw new TypeError(`${nameOf(partition)} was never assigned to the cold recorder`);
    return assigned;
  }

  #throwFailure(): void {
    this.#failure.signal.throwIfAborted();
    this.#signal.throwIfAborted();
  }
}

interface AssignedPartition {
  readonly partition: TopicPartition;
  readonly buffer: PartitionBuffer;
  /** Ends the storing of this partition, not of others. */
  readonly revoked: AbortController;
}

interface OpeningPartition {
  readonly begin: Promise<bigint>;
  readonly revoked: AbortController;
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function earliest(times: readonly (Nanoseconds | undefined)[]): Nanoseconds | undefined {
  return times.reduce(
    (first, time) => (time === undefined || (first !== undefined && first < time) ? first : time),
    undefined,
  );
}

function latest(times: readonly (Nanoseconds | undefined)[]): Nanoseconds | undefined {
  return times.reduce(
    (last, time) => (time === undefined || (last !== undefined && last > time) ? last : time),
    undefined,
  );
}

function within(name: string, value: number, limit = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value > 0 && value <= limit) return value;
  throw new MarketDataError('CONFIG_INVALID', `${name} is ${value}; expected a whole number from 1 to ${limit}`);
}
