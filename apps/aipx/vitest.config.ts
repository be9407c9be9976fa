import { projectConfig } from '../../vitest.shared.js';

export default projectConfig(import.meta.dirname, { testTimeout: 120_000, hookTimeout: 180_000 });
