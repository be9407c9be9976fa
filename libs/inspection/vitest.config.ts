import { projectConfig } from '../../vitest.shared.js';

export default projectConfig(import.meta.dirname, { globalSetup: ['test/support/postgres-server.ts'] });
