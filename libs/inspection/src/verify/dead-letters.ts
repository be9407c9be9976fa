import { DEAD_LETTER_TOPIC, type EventLog, type TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { readingLog } from './log-reading.js';

export interface DeadLetterNote {
  readonly reason: string;
  readonly message: string;
}

/** Beyond this many the notes would need more memory than a comparison may take. */
const MOST_LETTERS = 1_000_000;

/** The records that were kept as dead letters, by their position in the log. */
export class DeadLetters {
  readonly #notes = new Map<string, DeadLetterNote>();
  #begin = 0n;

  /** @throws {MarketDataError} `STORE_REFUSED` for more than can be held at once, and what the log says */
  static async read(log: EventLog, signal: AbortSignal): Promise<DeadLetters> {
    const letters = new DeadLetters();
    for (const partition of await log.partitionsOf(DEAD_LETTER_TOPIC)) {
      const range = await log.range(partition, { signal });
      letters.#begin += range.begin;
      for await (const records of readingLog(log, partition, range, signal)) {
        for (const { key, headers } of records) {
          const note = { reason: headers['reason'] ?? '', message: headers['message'] ?? '' };
          if (/^[^/]+\/\d+\/\d+$/.test(key)) letters.#notes.set(key, note);
        }
        letters.#checkSize();
      }
    }
    return letters;
  }

  /** Whether retention has taken some: an absent letter then proves nothing. */
  get isIncomplete(): boolean {
    return this.#begin > 0n;
  }

  at({ topic, partition }: TopicPartition, offset: bigint): DeadLetterNote | undefined {
    return this.#notes.size === 0 ? undefined : this.#notes.get(`${topic}/${partition}/${offset}`);
  }

  #checkSize(): void {
    if (this.#notes.size <= MOST_LETTERS) return;
    throw new MarketDataError(
      'STORE_REFUSED',
      `${DEAD_LETTER_TOPIC} holds over ${MOST_LETTERS} records of this log, more than can be compared at once`,
    );
  }
}
