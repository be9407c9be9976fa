import {
  bytes,
  choice,
  duration,
  durationText,
  integer,
  orEmpty,
  path,
  rule,
  type SettingsGroup,
  type SettingsOf,
} from '@aipx/service';
import { kafkaGroup } from './kafka.js';

/** What waits while the log is slow or away. Times in ms. */
export interface BufferSettings {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** 0 = no limit, both. */
  readonly bookTtlMs: number;
  readonly tradeTtlMs: number;
  readonly priority: 'trades' | 'books';
  /** Absent: nothing is kept on disk. */
  readonly spillDir: string | undefined;
  readonly spillMaxBytes: number;
  readonly gapLookbackMs: number;
}

export const bufferGroup = {
  maxMessages: {
    env: 'BUFFER_MAX_MESSAGES',
    type: integer({ min: 100, max: 10_000_000 }),
    default: '20000',
    describe: 'Records that may wait in memory',
  },
  maxBytes: {
    env: 'BUFFER_MAX_BYTES',
    type: bytes({ min: '1MiB', max: '16GiB' }),
    default: '16MiB',
    describe: 'Memory that waiting records may take',
  },
  bookTtl: {
    env: 'BUFFER_BOOK_TTL',
    type: duration({ min: '100ms', max: '1h', zero: 'no limit' }),
    default: '1s',
    describe: 'How long an order book may wait before it is dropped and counted',
  },
  tradeTtl: {
    env: 'BUFFER_TRADE_TTL',
    type: duration({ min: '1s', max: '24h', zero: 'no limit' }),
    default: '0',
    describe:
      'How long a trade may wait in memory before it is dropped and counted; on the disk it waits as long as it takes',
  },
  priority: {
    env: 'BUFFER_PRIORITY',
    type: choice('trades', 'books'),
    default: 'trades',
    describe: 'Which stay when there is no room for both: a book is replaced by the next one, a lost trade is lost',
  },
  spillDir: {
    env: 'SPILL_DIR',
    type: orEmpty('nothing on disk', path()),
    default: '.aipx/spill',
    describe: 'Folder that takes the trades when memory is full or the process ends while Kafka is away',
  },
  spillMaxBytes: {
    env: 'SPILL_MAX_BYTES',
    type: bytes({ min: '1MiB', max: '16GiB' }),
    default: '1GiB',
    describe: 'Disk that SPILL_DIR may take',
  },
  gapLookback: {
    env: 'GAP_LOOKBACK',
    type: duration({ min: '1s', max: '168h' }),
    default: '1h',
    describe:
      'How far the log is read back at start to find out what was missed; trades at least to where a venue begins to count them',
  },
} as const satisfies SettingsGroup;

export const bufferRules = [
  rule([bufferGroup.maxBytes, bufferGroup.spillMaxBytes], (memory, disk) =>
    disk >= 2 * memory
      ? []
      : [
          {
            setting: bufferGroup.spillMaxBytes,
            says: `${disk} bytes are too few: expected twice BUFFER_MAX_BYTES, which is ${memory}`,
          },
        ],
  ),
  rule([kafkaGroup.linger, bufferGroup.bookTtl], (linger, ttl) =>
    ttl === 0 || ttl > linger
      ? []
      : [
          {
            setting: bufferGroup.bookTtl,
            says: `${durationText(ttl)} is too short: every book waits KAFKA_LINGER, which is ${durationText(linger)}`,
          },
        ],
  ),
];

export function bufferSettings(values: SettingsOf<{ readonly buffer: typeof bufferGroup }>['buffer']): BufferSettings {
  const { bookTtl, tradeTtl, gapLookback, ...rest } = values;
  return { ...rest, bookTtlMs: bookTtl, tradeTtlMs: tradeTtl, gapLookbackMs: gapLookback };
}
