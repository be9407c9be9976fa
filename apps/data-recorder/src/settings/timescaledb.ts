import {
  boolean,
  integer,
  rule,
  sharedTimescaledb,
  timescaledbSslRule,
  type SettingsGroup,
  type SettingsOf,
} from '@aipx/service';
import type { DatabaseAddress, SslMode } from '@aipx/timescale';

/** The database, and how it is written to. Times in ms. */
export interface TimescaledbSettings {
  readonly enabled: boolean;
  /** Without its encryption, which `ssl` says. */
  readonly address: Omit<DatabaseAddress, 'ssl'>;
  readonly ssl: SslMode;
  /** A file of PEM certificates. */
  readonly sslCa: string | undefined;
  readonly poolSize: number;
  readonly maxRetries: number;
  readonly migrateOnStart: boolean;
  /** 0 = for ever; absent: as the database has it. */
  readonly retentionMs: number | undefined;
}

const { retention, ...connection } = sharedTimescaledb;

export const timescaledbGroup = {
  ...connection,
  poolSize: {
    env: 'TIMESCALEDB_POOL_SIZE',
    type: integer({ min: 1, max: 100 }),
    default: '4',
    describe: 'Most connections to the database, DB_WRITE_WORKERS at least',
  },
  retention,
  maxRetries: {
    env: 'MAX_RETRIES',
    type: integer({ min: 1, max: 1_000 }),
    default: '3',
    describe:
      'Failed tries of one batch before all connections are renewed; it is tried until it works, however long that takes',
  },
  migrateOnStart: {
    env: 'MIGRATE_ON_START',
    type: boolean(),
    default: 'false',
    describe: 'Whether to bring the tables to the present schema first',
    flag: '--migrate',
  },
} as const satisfies SettingsGroup;

export const timescaledbRules = [
  timescaledbSslRule,
  rule([timescaledbGroup.writeEnabled, timescaledbGroup.password], (enabled, password) =>
    !enabled || password !== undefined
      ? []
      : [
          {
            setting: timescaledbGroup.password,
            says: 'expected the password of TIMESCALEDB_USER, or TIMESCALEDB_WRITE_ENABLED=false for no database',
          },
        ],
  ),
];

type Values = SettingsOf<{ readonly timescaledb: typeof timescaledbGroup }>['timescaledb'];

export function timescaledbSettings(values: Values): TimescaledbSettings {
  const {
    writeEnabled,
    host,
    port,
    user,
    password = '',
    db,
    ssl,
    sslCa,
    poolSize,
    retention,
    maxRetries,
    migrateOnStart,
  } = values;
  return {
    enabled: writeEnabled,
    address: { host, port, user, password, database: db },
    ssl,
    sslCa,
    poolSize,
    maxRetries,
    migrateOnStart,
    retentionMs: retention,
  };
}
