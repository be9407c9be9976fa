import { projectConfig } from '../../vitest.shared.js';

export default projectConfig(import.meta.dirname, {
  // All write to one log, and compare all that it has.
  fileParallelism: false,
  globalSetup: ['test/support/servers.ts'],
  testTimeout: 120_000,
  hookTimeout: 180_000,
});
