import { MarketDataError } from '@aipx/market-model';
import type { LogEntry, TopicPartition } from '../event-log.js';
import type { PartitionWriter } from './partition-writer.js';
import { outOfTurn, partlyStored, partTooLarge, unknownOutcome } from './publish-error.js';

/** Most bytes of keys and values that one append may carry to one partition; brokers by default take far less. */
const LARGEST_PART_BYTES = 16 * 1024 * 1024;

/** The way to one partition. */
export type Writer = Pick<PartitionWriter, 'partition' | 'latest' | 'send'>;

/** What an append carries to one partition. */
interface Part {
  readonly writer: Writer;
  readonly entries: LogEntry[];
  bytes: number;
  isStored: boolean;
}

/** An append whose outcome its caller does not know yet. */
interface Pending {
  readonly entries: readonly LogEntry[];
  readonly parts: readonly Part[];
  /** Its caller was told that the outcome is open, and will repeat it. */
  isAbandoned: boolean;
  /** The outcome is decided, and its caller learns it. */
  isDecided: boolean;
}

/**
 * Takes appends to the partitions: those of one partition one after the other, in the order they came, others side by
 * side. An append whose outcome its caller does not know holds its partitions until it is repeated and answered.
 */
export class Publisher {
  readonly #writerFor: (entry: LogEntry) => Writer;
  readonly #pending = new Set<Pending>();

  /** @param writerFor throws for an entry that has no place */
  constructor(writerFor: (entry: LogEntry) => Writer) {
    this.#writerFor = writerFor;
  }

  /** @throws {MarketDataError} as `EventLog.append` says */
  async append(entries: readonly LogEntry[], signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw unknownOutcome(entries.length);
    if (entries.length === 0) return;
    const asked: Pending = {
      entries: [...entries],
      parts: this.#partsOf(entries),
      isAbandoned: false,
      isDecided: false,
    };
    await unlessAbandoned(asked, this.#inTurn(asked), signal);
  }

  #partsOf(entries: readonly LogEntry[]): readonly Part[] {
    const parts = new Map<Writer, Part>();
    for (const entry of entries) {
      const writer = this.#writerFor(entry);
      let part = parts.get(writer);
      if (part === undefined) parts.set(writer, (part = { writer, entries: [], bytes: 0, isStored: false }));
      part.entries.push(entry);
      part.bytes += entry.key.length + entry.value.byteLength;
      if (part.bytes > LARGEST_PART_BYTES) throw partTooLarge(writer.partition, LARGEST_PART_BYTES);
    }
    return [...parts.values()];
  }

  #inTurn(asked: Pending): Promise<void> {
    const before = asked.parts.map(({ writer }) => writer.latest);
    const work = Promise.all(before).then(() => this.#run(asked));
    const over = work.catch(() => undefined);
    for (const { writer } of asked.parts) writer.latest = over;
    return work;
  }

  async #run(asked: Pending): Promise<void> {
    const known = this.#repeated(asked);
    if (known === undefined && asked.isAbandoned) return; // nobody waits, and nothing was sent
    const pending = known ?? this.#begin(asked);
    const outcomes = await Promise.allSettled(pending.parts.filter(({ isStored }) => !isStored).map(send));
    const errors: unknown[] = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
    const error = errors.find(isRetryable) ?? errors[0];
    // In one go with the outcome: an abort from here on comes too late.
    asked.isDecided = true;
    // Whoever waits no longer does not learn what became of it, and will repeat it.
    if (!asked.isAbandoned && !isRetryable(error)) this.#pending.delete(pending);
    if (error !== undefined) throw isRetryable(error) ? error : partlyStored(error, storedOf(pending));
  }

  #repeated({ entries }: Pending): Pending | undefined {
    for (const pending of this.#pending) {
      const isSame =
        pending.entries.length === entries.length && entries.every((each, n) => each === pending.entries[n]);
      if (isSame) return pending;
    }
    return undefined;
  }

  #begin(asked: Pending): Pending {
    for (const { parts } of this.#pending) {
      const held = parts.find(({ writer }) => asked.parts.some((part) => part.writer === writer));
      if (held !== undefined) throw outOfTurn(held.writer.partition);
    }
    this.#pending.add(asked);
    return asked;
  }
}

/** The outcome of the work, or a rejection as soon as the signal aborts if it is not decided then. */
async function unlessAbandoned(asked: Pending, work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await work;
  const { promise: abandonment, reject } = Promise.withResolvers<never>();
  const abandon = () => {
    if (asked.isDecided) return;
    asked.isAbandoned = true;
    reject(unknownOutcome(asked.entries.length));
  };
  signal.addEventListener('abort', abandon, { once: true });
  work.catch(() => undefined); // nobody may be waiting any more
  try {
    await Promise.race([work, abandonment]);
  } finally {
    signal.removeEventListener('abort', abandon);
  }
}

function storedOf({ parts }: Pending): readonly TopicPartition[] {
  return parts.filter(({ isStored }) => isStored).map(({ writer }) => writer.partition);
}

async function send(part: Part): Promise<void> {
  await part.writer.send(part.entries);
  part.isStored = true;
}

function isRetryable(error: unknown): boolean {
  return error instanceof MarketDataError && error.retryable;
}
