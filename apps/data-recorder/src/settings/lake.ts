import {
  boolean,
  bytes,
  choice,
  integer,
  sharedLake,
  sharedS3,
  type SettingsGroup,
  type SettingsOf,
} from '@aipx/service';

/** Where Parquet files go, and what makes one batch of them. Times in ms. */
export interface LakeSettings {
  readonly enabled: boolean;
  readonly target: LakeTarget;
  /** What every key begins with. */
  readonly prefix: string;
  readonly batchRows: number;
  readonly batchBytes: number;
  readonly batchTimeoutMs: number;
  readonly compression: 'snappy' | 'zstd';
}

export type LakeTarget =
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly region: string;
      /** Absent: the one that Amazon has for the region. */
      readonly endpoint: string | undefined;
      readonly singleWriter: boolean;
    };

export const lakeGroup = sharedLake;

export const s3Group = {
  ...sharedS3,
  singleWriter: {
    env: 'S3_SINGLE_WRITER',
    type: boolean(),
    default: 'false',
    describe:
      'Whether to write to an S3 that cannot create an object only if it is absent; safe only with one recorder in all',
  },
  batchSize: {
    env: 'S3_BATCH_SIZE',
    type: integer({ min: 1, max: 10_000_000 }),
    default: '100000',
    describe: 'Rows of a partition that make a batch of files',
  },
  batchBytes: {
    env: 'S3_BATCH_BYTES',
    type: bytes({ min: '64KiB', max: '1GiB' }),
    default: '16MiB',
    describe: 'Encoded records of a partition that make a batch of files',
  },
  batchTimeoutSec: {
    env: 'S3_BATCH_TIMEOUT_SEC',
    type: integer({ min: 1, max: 86_400 }),
    default: '3600',
    describe: 'Seconds after which a batch of files is written even if it is not full',
  },
  compression: {
    env: 'S3_COMPRESSION',
    type: choice('snappy', 'zstd'),
    default: 'snappy',
    describe: 'How the columns of a Parquet file are compressed',
  },
} as const satisfies SettingsGroup;

type Values = SettingsOf<{ readonly lake: typeof lakeGroup; readonly s3: typeof s3Group }>;

export function lakeSettings({ lake, s3 }: Values): LakeSettings {
  const { bucket, region, endpoint, singleWriter } = s3;
  return {
    enabled: s3.writeEnabled,
    target:
      lake.dir === undefined
        ? { kind: 's3', bucket, region, endpoint, singleWriter }
        : { kind: 'folder', folder: lake.dir },
    prefix: s3.prefix,
    batchRows: s3.batchSize,
    batchBytes: s3.batchBytes,
    batchTimeoutMs: s3.batchTimeoutSec * 1_000,
    compression: s3.compression,
  };
}
