import type { ErrorCode } from '@aipx/market-model';
import type { LogEntry } from './event-log.js';

export const DEAD_LETTER_TOPIC = 'market.dlq';

export interface DeadLetter {
  /** Where it was: `<topic>/<partition>/<offset>` of the log, or `<venue>/<connection id>/<frame>/<record>`. */
  readonly position: string;
  readonly reason: ErrorCode;
  /** One sentence for people. */
  readonly message: string;
  /** The bytes as they came, or what may be kept of them where they hold a secret. */
  readonly bytes: Uint8Array;
  /** The venue, where known. */
  readonly exchange?: string;
}

/** The entry that keeps a bad record: its bytes as value, its position as key, the reason in headers. */
export function deadLetterEntry(letter: DeadLetter): LogEntry {
  return {
    topic: DEAD_LETTER_TOPIC,
    key: letter.position,
    value: letter.bytes,
    headers: {
      ...(letter.exchange !== undefined && { exchange: letter.exchange }),
      'content-type': 'application/octet-stream',
      reason: letter.reason,
      message: letter.message,
    },
  };
}

/** The position of a record of the log, as a dead letter names it. */
export function logPositionText(record: { topic: string; partition: number; offset: bigint }): string {
  return `${record.topic}/${record.partition}/${record.offset}`;
}
