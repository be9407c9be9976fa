export { databaseUrl, type DatabaseAddress } from './database-address.js';
export { databaseSsl, type DatabaseSsl, type SslMode } from './database-ssl.js';
export type { DoneMigration } from './migrations/done-migrations.js';
export type { Flavour } from './migrations/flavour.js';
export { migrate, type MigrateOptions } from './migrations/migrate.js';
export { migrationStatus, type MigrationStatus, type MigrationStatusOptions } from './migrations/migration-status.js';
export type { Policy } from './migrations/policies.js';
export { TimescaleStore, type TimescaleStoreOptions } from './timescale-store.js';
export { FIELD_END, NULL_FIELD } from './read/hot-lines.js';
export {
  HotReader,
  type HotRowFilter,
  type HotRowLine,
  type RetentionGap,
  type SqlResult,
  type StoredTrade,
  type TradeKey,
} from './read/hot-reader.js';
