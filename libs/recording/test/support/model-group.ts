import type {
  CommittedOffset,
  ConsumeOptions,
  EventLog,
  LogEntry,
  LogRecord,
  OffsetRange,
  PartitionHandler,
  ReadLimits,
  TopicPartition,
} from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';

export const TOPIC = 'market.tick';

/** A log in memory, whose group hands partitions over as the test says. Appends are dead letters. */
export class ModelLog {
  readonly partitions: readonly TopicPartition[];
  readonly deadLetters: string[] = [];
  readonly #records = new Map<number, LogRecord[]>();
  readonly #begins = new Map<number, bigint>();

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, (_, partition) => ({ topic: TOPIC, partition }));
  }

  range({ partition }: TopicPartition): OffsetRange {
    const end = BigInt(this.#records.get(partition)?.length ?? 0);
    return { begin: this.#begins.get(partition) ?? 0n, end };
  }

  add({ topic, partition }: TopicPartition, value: Uint8Array): void {
    const records = this.#records.get(partition) ?? [];
    const offset = BigInt(records.length);
    records.push({ topic, partition, offset, key: 'KRW-A', value, headers: {}, appendedAt: offset * 1_000_000n });
    this.#records.set(partition, records);
  }

  /** Retention takes what is before `begin`. */
  cut({ partition }: TopicPartition, begin: bigint): void {
    this.#begins.set(partition, begin);
  }

  read(partition: TopicPartition, from: bigint, { maxRecords }: ReadLimits): readonly LogRecord[] {
    const { begin, end } = this.range(partition);
    if (from < begin || from > end) {
      throw new MarketDataError('STORE_REFUSED', `${from} is outside of ${begin} to ${end}`, { retryable: true });
    }
    return (this.#records.get(partition.partition) ?? []).slice(Number(from), Number(from) + maxRecords);
  }
}

/** A member's stay in the group, from `consume` to its end. */
interface Stay {
  readonly handler: PartitionHandler;
  readonly over: AbortController;
  readonly feeds: Promise<void>[];
}

/** One process's connection to the log. */
export class ModelMember {
  readonly #log: ModelLog;
  readonly #pause: () => Promise<void>;
  readonly #committed: () => CommittedOffset | undefined;
  readonly #owned = new Map<TopicPartition, AbortController>();
  /** The end of the last feed of each partition: the next one waits for it. */
  readonly #ends = new Map<TopicPartition, Promise<void>>();
  #stay: Stay | undefined;
  isDead = false;

  /** @param committed what the group says to have stored, whatever that is worth */
  constructor(log: ModelLog, pause: () => Promise<void>, committed: () => CommittedOffset | undefined) {
    this.#log = log;
    this.#pause = pause;
    this.#committed = committed;
  }

  get eventLog(): EventLog {
    return {
      id: 'model',
      partitionsOf: async () => this.#log.partitions,
      range: async (partition: TopicPartition) => this.#log.range(partition),
      read: async (partition: TopicPartition, from: bigint, limits: ReadLimits) =>
        this.#log.read(partition, from, limits),
      append: (entries: readonly LogEntry[]) => this.#append(entries),
      consume: (_: ConsumeOptions, handler: PartitionHandler, signal: AbortSignal) => this.#consume(handler, signal),
    } as unknown as EventLog;
  }

  /** Gives the partition to this member; whether somebody else still believes that it is his is another matter. */
  assign(partition: TopicPartition): void {
    if (this.#owned.has(partition)) return;
    this.#owned.set(partition, new AbortController());
    this.#begin(partition);
  }

  revoke(partition: TopicPartition): void {
    this.#owned.get(partition)?.abort();
    this.#owned.delete(partition);
  }

  async #append(entries: readonly LogEntry[]): Promise<void> {
    await this.#pause();
    if (this.isDead) throw new Error('nothing reaches a dead process, and the database ends its transaction');
    this.#log.deadLetters.push(...entries.map(({ key }) => key));
  }

  async #consume(handler: PartitionHandler, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    signal.addEventListener('abort', () => {
      over.abort();
    });
    this.#stay = { handler, over, feeds: [] };
    // A member that begins anew gets what it had.
    for (const partition of this.#owned.keys()) this.#begin(partition);
    await new Promise((resolve) => {
      over.signal.addEventListener('abort', resolve);
    });
    await Promise.all(this.#stay.feeds);
    this.#stay = undefined;
    if (!signal.aborted) throw over.signal.reason;
  }

  #begin(partition: TopicPartition): void {
    const stay = this.#stay;
    const owned = this.#owned.get(partition);
    if (stay === undefined || owned === undefined) return;
    const feed = (this.#ends.get(partition) ?? Promise.resolve()).then(() =>
      this.#feed(stay, partition, AbortSignal.any([stay.over.signal, owned.signal])),
    );
    this.#ends.set(partition, feed);
    stay.feeds.push(feed);
  }

  /** One call of the handler at a time. */
  async #feed({ handler, over }: Stay, partition: TopicPartition, isOver: AbortSignal): Promise<void> {
    try {
      if (isOver.aborted) return;
      let next = await handler.onAssigned(partition, this.#log.range(partition), this.#committed(), isOver);
      for (;;) {
        await this.#pause();
        if (this.isDead) return;
        if (isOver.aborted) break;
        const records = this.#log.read(partition, next, { maxRecords: 3, maxBytes: 1 });
        if (records.length === 0) continue;
        await handler.onRecords(partition, records, isOver);
        next += BigInt(records.length);
      }
    } catch (error) {
      if (!isOver.aborted || error !== isOver.reason) over.abort(error);
    }
    await handler.onRevoked(partition).catch((error: unknown) => {
      over.abort(error);
    });
  }
}
