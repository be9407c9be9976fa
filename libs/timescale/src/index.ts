export { databaseUrl, type DatabaseAddress } from './database-address.js';
export { migrate, type MigrateOptions } from './migrate.js';
export { TimescaleStore, type TimescaleStoreOptions } from './timescale-store.js';
