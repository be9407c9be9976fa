import type { SettingsGroup } from '../schema.js';
import { boolean, path, text, url } from '../value-types.js';

/** What several apps are told of the lake on S3, said once. Each takes what it needs into its group. */
export const sharedS3 = {
  writeEnabled: {
    env: 'S3_WRITE_ENABLED',
    type: boolean(),
    default: 'true',
    describe: 'Whether Parquet files are written, to S3 or to LAKE_DIR',
  },
  bucket: {
    env: 'S3_BUCKET',
    type: text('a name of 3 to 63 lower-case letters, digits, dots and dashes', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    default: 'aipx-data-lake',
    describe: 'Bucket of the Parquet files; it must exist',
  },
  region: {
    env: 'S3_REGION',
    type: text('a region such as ap-northeast-2', /^[a-z0-9-]+$/),
    default: 'ap-northeast-2',
    describe: 'Region of the bucket',
  },
  endpoint: {
    env: 'S3_ENDPOINT',
    type: url('https', 'http'),
    describe: 'Address of an S3 that is not Amazon’s',
  },
  prefix: {
    env: 'S3_PREFIX',
    type: text(
      'a path such as market-data, without a slash at its ends',
      /^(?!\.{1,2}(\/|$))[\w.=-]+(\/(?!\.{1,2}(\/|$))[\w.=-]+)*$/,
    ),
    default: 'market-data',
    describe: 'What every key begins with, in a folder too; one log fills one prefix',
  },
} as const satisfies SettingsGroup;

export const sharedLake = {
  dir: {
    env: 'LAKE_DIR',
    type: path(),
    describe:
      'A folder that takes the Parquet files instead of S3; the settings of bucket and endpoint then have no effect',
  },
} as const satisfies SettingsGroup;
