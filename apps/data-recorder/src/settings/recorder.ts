import { bytes, duration, integer, rule, type SettingsGroup, type SettingsOf } from '@aipx/service';
import { s3Group } from './lake.js';
import { timescaledbGroup } from './timescaledb.js';

/** How records become batches, and how many may wait. Times in ms. */
export interface RecorderSettings {
  /** Partitions read side by side, by each sink. */
  readonly concurrency: number;
  readonly hot: HotBatchSettings;
  readonly cold: { readonly maxBufferBytes: number };
  /** 0 = off. */
  readonly sinkMaxLagMs: number;
}

export interface HotBatchSettings {
  readonly batchSize: number;
  readonly batchTimeoutMs: number;
  readonly writers: number;
  readonly maxBufferedRecords: number;
  readonly maxBufferedBytes: number;
}

/** Of MAX_BUFFER_BYTES, for the hot sink while both are on. Its batches are small; the files of the cold one are not. */
const HOT_SHARE = 1 / 4;

export const recorderGroup = {
  batchSize: {
    env: 'BATCH_SIZE',
    type: integer({ min: 1, max: 100_000 }),
    default: '1000',
    describe: 'Rows that make a transaction; what arrives meanwhile makes the next one larger',
  },
  batchTimeoutMs: {
    env: 'BATCH_TIMEOUT_MS',
    type: integer({ min: 1, max: 3_600_000 }),
    default: '5000',
    describe: 'Milliseconds after which rows are written even if they are fewer',
  },
  numConsumers: {
    env: 'NUM_CONSUMERS',
    type: integer({ min: 1, max: 1_000 }),
    default: '6',
    describe: 'Partitions that each sink reads side by side; each of them may hold 4 MiB beyond MAX_BUFFER_BYTES',
  },
  dbWriteWorkers: {
    env: 'DB_WRITE_WORKERS',
    type: integer({ min: 1, max: 64 }),
    default: '2',
    describe: 'Connections that COPY side by side, each the rows of its own partitions',
  },
  maxBufferSize: {
    env: 'MAX_BUFFER_SIZE',
    type: integer({ min: 1, max: 10_000_000 }),
    default: '10000',
    describe:
      'Rows that may wait for the database before reading for it pauses; what waits for Parquet waits encoded and is bounded by its bytes alone',
  },
  maxBufferBytes: {
    env: 'MAX_BUFFER_BYTES',
    type: bytes({ min: '1MiB', max: '64GiB' }),
    default: '256MiB',
    describe:
      'Memory that records may take while they wait, before reading pauses: a quarter is the database’s and three quarters are Parquet’s, whatever the other has free, so that neither outage takes the other’s room; with one of them off the other has all',
  },
  sinkMaxLag: {
    env: 'SINK_MAX_LAG',
    type: duration({ min: '1s', max: '24h', zero: 'any' }),
    default: '1m',
    describe:
      'How old the oldest record that is not stored may become, on top of the time that a batch may take to fill (BATCH_TIMEOUT_MS, S3_BATCH_TIMEOUT_SEC), before /health says DEGRADED',
  },
} as const satisfies SettingsGroup;

/** What each sink may hold, in bytes of encoded records. */
function bufferShares(maxBytes: number, hot: boolean, cold: boolean): { readonly hot: number; readonly cold: number } {
  if (!hot || !cold) return { hot: maxBytes, cold: maxBytes };
  const hotBytes = Math.floor(maxBytes * HOT_SHARE);
  return { hot: hotBytes, cold: maxBytes - hotBytes };
}

export const recorderRules = [
  rule([timescaledbGroup.writeEnabled, s3Group.writeEnabled], (hot, cold) =>
    hot || cold
      ? []
      : [
          {
            setting: s3Group.writeEnabled,
            says: 'false, as TIMESCALEDB_WRITE_ENABLED is: nothing would be recorded, so one of them must be true',
          },
        ],
  ),
  rule([recorderGroup.batchSize, recorderGroup.maxBufferSize], (batch, buffer) =>
    buffer >= batch
      ? []
      : [
          {
            setting: recorderGroup.maxBufferSize,
            says: `${buffer} rows are too few: expected BATCH_SIZE at least, which is ${batch}`,
          },
        ],
  ),
  rule(
    [timescaledbGroup.writeEnabled, s3Group.writeEnabled, s3Group.batchBytes, recorderGroup.maxBufferBytes],
    (hot, cold, batch, buffer) => {
      const share = bufferShares(buffer, hot, cold).cold;
      if (!cold || share >= batch) return [];
      const says = `${buffer} bytes are too few: ${share} of them are for Parquet, and one batch is S3_BATCH_BYTES, which is ${batch}`;
      return [{ setting: recorderGroup.maxBufferBytes, says }];
    },
  ),
  rule([recorderGroup.dbWriteWorkers, timescaledbGroup.poolSize], (writers, pool) =>
    pool >= writers
      ? []
      : [
          {
            setting: timescaledbGroup.poolSize,
            says: `${pool} connections are too few: expected DB_WRITE_WORKERS at least, which is ${writers}`,
          },
        ],
  ),
];

type Values = SettingsOf<{
  readonly recorder: typeof recorderGroup;
  readonly timescaledb: typeof timescaledbGroup;
  readonly s3: typeof s3Group;
}>;

export function recorderSettings({ recorder, timescaledb, s3 }: Values): RecorderSettings {
  const { batchSize, batchTimeoutMs, numConsumers, dbWriteWorkers, maxBufferSize, maxBufferBytes, sinkMaxLag } =
    recorder;
  const shares = bufferShares(maxBufferBytes, timescaledb.writeEnabled, s3.writeEnabled);
  return {
    concurrency: numConsumers,
    hot: {
      batchSize,
      batchTimeoutMs,
      writers: dbWriteWorkers,
      maxBufferedRecords: maxBufferSize,
      maxBufferedBytes: shares.hot,
    },
    cold: { maxBufferBytes: shares.cold },
    sinkMaxLagMs: sinkMaxLag,
  };
}
