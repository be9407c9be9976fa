export { databaseOn, emptyDatabase, hotDatabase, testServer, type TestDatabase } from './test-database.js';
export { testLog, TOPICS } from './test-log.js';
