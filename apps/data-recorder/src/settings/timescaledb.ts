import {
  boolean,
  choice,
  duration,
  integer,
  path,
  rule,
  secretText,
  text,
  type SettingsGroup,
  type SettingsOf,
} from '@aipx/service';
import { SSL_MODES, type DatabaseAddress, type SslMode } from '@aipx/timescale';

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

export const timescaledbGroup = {
  writeEnabled: {
    env: 'TIMESCALEDB_WRITE_ENABLED',
    type: boolean(),
    default: 'true',
    describe: 'Whether rows are written to the database',
  },
  host: {
    env: 'TIMESCALEDB_HOST',
    type: text('a host name or an IP address', /^[\w.:-]+$/),
    default: 'localhost',
    describe: 'Where the TimescaleDB or PostgreSQL is',
  },
  port: {
    env: 'TIMESCALEDB_PORT',
    type: integer({ min: 1, max: 65_535 }),
    default: '5433',
    describe: 'Its port',
  },
  user: {
    env: 'TIMESCALEDB_USER',
    type: text('a user name'),
    default: 'aipx',
    describe: 'Who writes; the owner of the tables, if they are to be migrated',
  },
  password: {
    env: 'TIMESCALEDB_PASSWORD',
    type: secretText(),
    secret: true,
    describe: 'Password of the user; required unless TIMESCALEDB_WRITE_ENABLED is false',
  },
  db: {
    env: 'TIMESCALEDB_DB',
    type: text('a name of a database'),
    default: 'aipx_timeseries',
    describe: 'Database of the tables; one log fills one database',
  },
  ssl: {
    env: 'TIMESCALEDB_SSL',
    type: choice(...SSL_MODES),
    default: 'off',
    describe:
      'Whether connections are encrypted: require keeps out who listens, verify also who pretends to be the server (libpq calls it verify-full)',
  },
  sslCa: {
    env: 'TIMESCALEDB_SSL_CA',
    type: path(),
    describe: 'PEM file of the authorities that verify believes; without it those that Node.js knows',
  },
  poolSize: {
    env: 'TIMESCALEDB_POOL_SIZE',
    type: integer({ min: 1, max: 100 }),
    default: '4',
    describe: 'Most connections to the database, DB_WRITE_WORKERS at least',
  },
  retention: {
    env: 'TIMESCALEDB_RETENTION',
    type: duration({ min: '24h', max: '876000h', zero: 'keeping all' }),
    describe:
      'How long a TimescaleDB keeps ticks and books, set together with MIGRATE_ON_START; without it the database stays as it is, and a new one keeps all',
  },
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
  rule([timescaledbGroup.ssl, timescaledbGroup.sslCa], (ssl, ca) =>
    ca === undefined || ssl === 'verify'
      ? []
      : [{ setting: timescaledbGroup.sslCa, says: `nothing would check it: TIMESCALEDB_SSL is ${ssl}, not verify` }],
  ),
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
