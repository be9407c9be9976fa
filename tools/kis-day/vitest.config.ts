import { projectConfig } from '../../vitest.shared.js';

export default projectConfig(import.meta.dirname, {
  globalSetup: ['@aipx/timescale/testing/postgres-server'],
  testTimeout: 90_000,
});
