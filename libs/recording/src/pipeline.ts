import type {
  CommittedOffset,
  ConsumeOptions,
  EventLog,
  LogRecord,
  OffsetRange,
  PartitionHandler,
  ReadLimits,
  TopicPartition,
} from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { backOff } from './backoff.js';
import { Condition } from './condition.js';
import type { Recorder } from './recorder.js';

export interface RecordingPipelineOptions {
  readonly log: EventLog;
  readonly recorder: Recorder;
  /** Of its own for each recorder: each reads the whole log. */
  readonly group: string;
  readonly topics: readonly string[];
  /** What is handed over at once, of one partition. @default 2000 records, 4 MiB */
  readonly limits?: ReadLimits;
  /** Partitions read side by side, as `ConsumeOptions` has it. */
  readonly concurrency?: number;
  /** Called with the number of records of each hand-over. Some come again after a failure or a rebalance. */
  readonly onRead?: (records: number) => void;
  /** Called with each failure after which reading begins again at the stored position. */
  readonly onFault?: (fault: MarketDataError) => void;
}

const LIMITS: ReadLimits = { maxRecords: 2000, maxBytes: 4 * 1024 * 1024 };

/** Runs one recorder over a log: begins at the stored position, and again there after whatever a new try can mend. */
export class RecordingPipeline {
  readonly #log: EventLog;
  readonly #recorder: Recorder;
  readonly #consume: ConsumeOptions;
  readonly #onRead: (records: number) => void;
  readonly #onFault: (fault: MarketDataError) => void;
  readonly #changed = new Condition();
  /** The first offset that was not handed over, of each partition that is assigned. */
  readonly #handedTo = new Map<string, bigint>();
  readonly #assigned = new Map<string, TopicPartition>();
  readonly #everAssigned = new Set<string>();
  #failures = 0;
  /** How often `#changed` was notified: a change that comes before the wait for it must not be missed. */
  #changes = 0;
  #fatal: { readonly error: unknown } | undefined;

  constructor(options: RecordingPipelineOptions) {
    const { log, recorder, group, topics, limits = LIMITS, concurrency } = options;
    const { onRead = () => undefined, onFault = () => undefined } = options;
    this.#log = log;
    this.#recorder = recorder;
    this.#consume = { group, topics, limits, ...(concurrency !== undefined && { concurrency }) };
    this.#onRead = onRead;
    this.#onFault = onFault;
  }

  /**
   * Records until the signal aborts, then resolves. What the recorder still holds by then is read again at the next
   * start; `drain` first to keep that short.
   *
   * @throws {MarketDataError} what no new try can mend: `STORE_LOG_MISMATCH`, `STORE_DAMAGED`, …
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#runOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!mayPass(error)) throw this.#end(error);
        this.#onFault(error);
        await backOff(this.#failures++, signal).catch(() => undefined);
      }
    }
  }

  /** The partitions that are read now. */
  get assigned(): readonly TopicPartition[] {
    return [...this.#assigned.values()];
  }

  /** Resolves when every partition of the topics has been assigned, so that what is appended from now on is new. */
  async ready(signal: AbortSignal): Promise<void> {
    const partitions = await this.#partitions();
    await this.#until(() => partitions.every((partition) => this.#everAssigned.has(keyOf(partition))), signal);
  }

  /**
   * Resolves when everything that is in the log now is stored. For a pipeline that reads all partitions: of those that
   * another member of the group reads, nothing is known here.
   */
  async drain(signal: AbortSignal): Promise<void> {
    const partitions = await this.#partitions();
    const ends = await Promise.all(
      partitions.map(async (partition) => (await this.#log.range(partition, { signal })).end),
    );
    const all = (reached: readonly (bigint | undefined)[]) =>
      reached.every((offset, index) => (offset ?? -1n) >= (ends[index] ?? 0n));
    const handedTo = () => partitions.map((partition) => this.#handedTo.get(keyOf(partition)));
    const storedTo = () => partitions.map((partition) => this.#recorder.storedTo(partition));
    while (!all(storedTo())) {
      await this.#until(() => all(handedTo()), signal);
      const before = storedTo();
      const changes = this.#changes;
      await this.#flush(signal);
      // A flush that stores nothing would store nothing again at once.
      const after = storedTo();
      const isIdle = this.#changes === changes && after.every((offset, index) => offset === before[index]);
      if (isIdle && !all(after)) await this.#changed.wait(signal);
    }
  }

  /** One stay in the consumer group. Returns when the signal aborts. */
  async #runOnce(signal: AbortSignal): Promise<void> {
    const { failure } = this.#recorder;
    const stop = failure === undefined ? signal : AbortSignal.any([signal, failure]);
    try {
      await this.#log.consume(this.#consume, this.#handler, stop);
    } finally {
      // A log that failed may not have got round to it.
      await Promise.all([...this.#assigned.values()].map((partition) => this.#handler.onRevoked(partition)));
    }
    failure?.throwIfAborted();
  }

  readonly #handler: PartitionHandler = {
    onAssigned: async (
      partition: TopicPartition,
      range: OffsetRange,
      committed: CommittedOffset | undefined,
      signal: AbortSignal,
    ) => {
      this.#assigned.set(keyOf(partition), partition);
      const begin = await this.#recorder
        .onAssigned(partition, range, committed, signal)
        .catch(async (cause: unknown) => {
          await this.#handler.onRevoked(partition);
          throw cause;
        });
      this.#everAssigned.add(keyOf(partition));
      this.#handedOver(partition, begin);
      return begin;
    },
    onRecords: async (partition: TopicPartition, records: readonly LogRecord[], signal: AbortSignal) => {
      await this.#recorder.onRecords(partition, records, signal);
      this.#onRead(records.length);
      this.#failures = 0;
      const last = records.at(-1);
      if (last !== undefined) this.#handedOver(partition, last.offset + 1n);
    },
    onRevoked: async (partition: TopicPartition) => {
      if (!this.#assigned.delete(keyOf(partition))) return;
      this.#handedTo.delete(keyOf(partition));
      await this.#recorder.onRevoked(partition);
      this.#notify();
    },
    position: (partition: TopicPartition) => this.#recorder.position?.(partition),
  };

  #handedOver(partition: TopicPartition, next: bigint): void {
    this.#handedTo.set(keyOf(partition), next);
    this.#notify();
  }

  #notify(): void {
    this.#changes += 1;
    this.#changed.notifyAll();
  }

  /** When it fails for a moved position, the stay ends and its work is done again by the next one. */
  async #flush(signal: AbortSignal): Promise<void> {
    try {
      await this.#recorder.flush(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error)) throw error;
    }
  }

  async #partitions(): Promise<TopicPartition[]> {
    return (await Promise.all(this.#consume.topics.map((topic) => this.#log.partitionsOf(topic)))).flat();
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      if (this.#fatal !== undefined) throw this.#fatal.error;
      await this.#changed.wait(signal);
    }
  }

  #end(error: unknown): unknown {
    this.#fatal = { error };
    this.#notify();
    return error;
  }
}

/** Whether reading again from the stored position may help. */
function mayPass(error: unknown): error is MarketDataError {
  return error instanceof MarketDataError && (error.retryable || error.code === 'STORE_POSITION_MOVED');
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
