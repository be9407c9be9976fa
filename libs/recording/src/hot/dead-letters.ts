import { deadLetterEntry, logPositionText, type EventLog, type LogRecord } from '@aipx/event-log';
import type { ErrorCode } from '@aipx/market-model';

export interface DeadRecord {
  readonly record: LogRecord;
  readonly reason: ErrorCode;
  readonly message: string;
}

/** What a header may hold at most, in characters: a message may quote the record it is about. */
const MESSAGE_LENGTH = 500;
const ENTRIES_AT_ONCE = 500;

/**
 * Puts bad records into the log's DLQ before their position has moved, and each only once while its batch is tried again.
 * After a crash in between, a letter may stand there twice, under the same key.
 */
export class DeadLetters {
  readonly #log: EventLog;
  readonly #sent = new Set<string>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  async send(records: readonly DeadRecord[]): Promise<void> {
    const pending = records.filter(({ record }) => !this.#sent.has(logPositionText(record)));
    for (let first = 0; first < pending.length; first += ENTRIES_AT_ONCE) {
      const some = pending.slice(first, first + ENTRIES_AT_ONCE);
      await this.#log.append(some.map(letterOf));
      for (const { record } of some) this.#sent.add(logPositionText(record));
    }
  }

  /** Forgets what was sent: the batch is stored and will not be tried again. */
  clear(): void {
    this.#sent.clear();
  }
}

function letterOf({ record, reason, message }: DeadRecord) {
  const exchange = record.headers['exchange'];
  return deadLetterEntry({
    position: logPositionText(record),
    reason,
    message: message.slice(0, MESSAGE_LENGTH),
    bytes: record.value,
    ...(exchange !== undefined && { exchange }),
  });
}
