import {
  deadLetterEntry,
  logPositionText,
  type EventLog,
  type LogEntry,
  type LogRecord,
  type TopicPartition,
} from '@aipx/event-log';
import { MarketDataError, type ErrorCode } from '@aipx/market-model';
import { untilAborted } from './until-aborted.js';

export interface DeadRecord {
  readonly record: LogRecord;
  readonly reason: ErrorCode;
  readonly message: string;
}

interface Letter {
  readonly record: LogRecord;
  readonly entry: LogEntry;
}

/** What a header may hold at most, in characters: a message may quote the record it is about. */
const MESSAGE_LENGTH = 500;
const LETTERS_AT_ONCE = 500;
const BYTES_AT_ONCE = 256 * 1024;

/**
 * Puts bad records into the log's DLQ before their position has moved, and each only once while its batch is tried again.
 * After a crash in between, a letter may stand there twice, under the same key.
 */
export class DeadLetters {
  readonly #log: EventLog;
  /** The offsets of each partition whose letters are in the log, as long as their batch may be tried again. */
  readonly #sent = new Map<string, Set<bigint>>();
  /** Sent without an answer: the log wants the very same again, before anything else. */
  #unanswered: readonly Letter[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Resolves when all of them are in the log. What is under way when `signal` aborts, the next call finishes first. */
  async send(records: readonly DeadRecord[], signal?: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    const turn = this.#turn.then(() => this.#sendInTurn(records, signal));
    this.#turn = turn.catch(() => undefined);
    await (signal === undefined ? turn : untilAborted(turn, signal));
  }

  /** Forgets what was sent of a partition: its batch is stored and will not be tried again. */
  stored(partition: TopicPartition): void {
    this.#sent.delete(keyOf(partition));
  }

  async #sendInTurn(records: readonly DeadRecord[], signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await this.#append(this.#unanswered, signal);
    const missing = records.filter(({ record }) => this.#sent.get(keyOf(record))?.has(record.offset) !== true);
    for (const letters of portions(missing.map(letterOf))) await this.#append(letters, signal);
  }

  async #append(letters: readonly Letter[], signal: AbortSignal | undefined): Promise<void> {
    if (letters.length === 0) return;
    this.#unanswered = letters;
    const entries = letters.map(({ entry }) => entry);
    try {
      await this.#log.append(entries, signal && { signal });
    } catch (error) {
      if (!(error instanceof MarketDataError && error.retryable)) this.#unanswered = [];
      throw error;
    }
    this.#unanswered = [];
    for (const { record } of letters) {
      const key = keyOf(record);
      this.#sent.set(key, (this.#sent.get(key) ?? new Set()).add(record.offset));
    }
  }
}

function letterOf({ record, reason, message }: DeadRecord): Letter {
  const exchange = record.headers['exchange'];
  const entry = deadLetterEntry({
    position: logPositionText(record),
    reason,
    message: message.slice(0, MESSAGE_LENGTH),
    bytes: record.value,
    ...(exchange !== undefined && { exchange }),
  });
  return { record, entry };
}

function* portions(letters: readonly Letter[]): Generator<readonly Letter[]> {
  let portion: Letter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const size = letter.entry.value.length;
    if (portion.length === LETTERS_AT_ONCE || (portion.length > 0 && bytes + size > BYTES_AT_ONCE)) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(letter);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
