import { rule, type SettingsGroup } from '../schema.js';
import { boolean, choice, duration, integer, path, secretText, text } from '../value-types.js';

/** What several apps are told of the database, said once. Each takes what it needs into its group. */
export const sharedTimescaledb = {
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
    type: choice('off', 'require', 'verify'),
    default: 'off',
    describe:
      'Whether connections are encrypted: require keeps out who listens, verify also who pretends to be the server (libpq calls it verify-full)',
  },
  sslCa: {
    env: 'TIMESCALEDB_SSL_CA',
    type: path(),
    describe: 'PEM file of the authorities that verify believes; without it those that Node.js knows',
  },
  retention: {
    env: 'TIMESCALEDB_RETENTION',
    type: duration({ min: '24h', max: '876000h', zero: 'keeping all' }),
    describe:
      'How long a TimescaleDB keeps ticks and books, set together with MIGRATE_ON_START; without it the database stays as it is, and a new one keeps all',
  },
} as const satisfies SettingsGroup;

/** Authorities that nothing would check are a mistake. */
export const timescaledbSslRule = rule([sharedTimescaledb.ssl, sharedTimescaledb.sslCa], (ssl, ca) =>
  ca === undefined || ssl === 'verify'
    ? []
    : [{ setting: sharedTimescaledb.sslCa, says: `nothing would check it: TIMESCALEDB_SSL is ${ssl}, not verify` }],
);
