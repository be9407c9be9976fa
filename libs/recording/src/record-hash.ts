import { createHash } from 'node:crypto';
import type { LogRecord } from '@aipx/event-log';

/**
 * Tells one record of a log from any other that may stand at its offset later: SHA-256 over time, key and value, hex.
 * Kept beside a position and compared when the position is taken up again, so that a log that was deleted and made
 * anew under the same name is noticed.
 */
export function recordHash(record: Pick<LogRecord, 'appendedAt' | 'key' | 'value'>): string {
  return createHash('sha256')
    .update(`${record.appendedAt}\n${Buffer.byteLength(record.key)}\n${record.key}\n`)
    .update(record.value)
    .digest('hex');
}
