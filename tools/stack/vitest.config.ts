import { projectConfig } from '../../vitest.shared.js';

// Brokers start, are killed and start again; the machine may be busy with other tests meanwhile.
export default projectConfig(import.meta.dirname, { testTimeout: 180_000, hookTimeout: 300_000 });
