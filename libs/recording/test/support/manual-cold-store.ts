import type { CommittedOffset, EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { ColdRecorder, type ColdRecorderOptions } from '../../src/cold/cold-recorder.js';
import type { ColdBatch, ColdPartition, ColdSession, ColdStore, StoredBatch } from '../../src/cold/cold-store.js';

export const TICKS: TopicPartition = { topic: 'market.tick', partition: 0 };
export const BOOKS: TopicPartition = { topic: 'market.orderbook', partition: 0 };
export const NEVER: AbortSignal = new AbortController().signal;

/** What a store was asked to write, to be answered when the test says so. */
export interface Write {
  readonly partition: TopicPartition;
  readonly begin: bigint;
  readonly end: bigint;
  readonly rows: number;
  readonly lastHash: string | null;
  /** Moves the position. */
  readonly done: (stored?: Partial<StoredBatch>) => void;
  readonly fail: (error: unknown) => void;
}

export class ManualStore implements ColdStore {
  readonly writes: Write[] = [];
  /** Answers every write at once. */
  readonly prompt: boolean;
  readonly opened: Partial<Pick<ColdPartition, 'finishedTo' | 'finished' | 'position'>>;
  /** Of the latest partition that was opened. */
  session: ColdSession | undefined;
  committed: CommittedOffset | undefined;
  #asked = Promise.withResolvers<undefined>();

  constructor({ prompt = true, opened = {} }: { prompt?: boolean; opened?: ManualStore['opened'] } = {}) {
    this.prompt = prompt;
    this.opened = opened;
  }

  async open(partition: TopicPartition, session: ColdSession, committed?: CommittedOffset): Promise<ColdPartition> {
    const { signal } = session;
    this.session = session;
    this.committed = committed;
    const asked = (write: Write) => {
      this.writes.push(write);
      this.#asked.resolve(undefined);
      this.#asked = Promise.withResolvers();
    };
    const { prompt } = this;
    const { finishedTo = 0n, finished = [], position = finishedTo } = this.opened;
    let at = position;
    let last: bigint | undefined;
    return {
      finishedTo,
      finished,
      get position() {
        return at;
      },
      get hint() {
        return last === undefined ? undefined : { offset: at, metadata: last.toString() };
      },
      async *write(batch: ColdBatch) {
        signal.throwIfAborted();
        const stored = Promise.withResolvers<StoredBatch>();
        signal.addEventListener('abort', () => stored.reject(signal.reason));
        const begin = at;
        const whole = {
          begin,
          end: batch.end,
          rows: batch.records.offsets.length,
          files: 1,
          bytes: 100,
          undecodable: [],
          missing: [],
        };
        const { end, rows } = whole;
        const write = { partition, begin, end, rows, lastHash: batch.lastHash, fail: stored.reject };
        asked({ ...write, done: (changes) => stored.resolve({ ...whole, ...changes }) });
        if (prompt) stored.resolve(whole);
        const result = await stored.promise;
        at = result.end;
        last = begin;
        yield result;
      },
    };
  }

  /** The n-th write, from 0, as soon as it is asked for. */
  async write(index: number): Promise<Write> {
    for (;;) {
      const write = this.writes[index];
      if (write !== undefined) return write;
      await this.#asked.promise;
    }
  }
}

export function records(partition: TopicPartition, from: number, count: number, bytes = 10): LogRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    ...partition,
    key: 'KRW-BTC',
    value: new Uint8Array(bytes),
    headers: {},
    offset: BigInt(from + index),
    appendedAt: BigInt(from + index),
  }));
}

export function sessionOf(signal: AbortSignal): ColdSession {
  const nothing = () => undefined;
  return { signal, onUndecodable: async () => undefined, onFault: nothing, onRecovered: nothing };
}

export const log = {} as EventLog; // only dead letters use it, and they have tests with a real one

export async function recorderOn(
  store: ColdStore,
  options: Partial<ColdRecorderOptions> = {},
  partitions: readonly TopicPartition[] = [TICKS],
  range: OffsetRange = { begin: 0n, end: 0n },
): Promise<ColdRecorder> {
  const recorder = new ColdRecorder({ store, log, signal: NEVER, ...options });
  for (const partition of partitions) await recorder.onAssigned(partition, range);
  return recorder;
}
