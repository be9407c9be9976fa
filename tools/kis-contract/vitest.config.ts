import { projectConfig } from '../../vitest.shared.js';

// Each test is a process that listens for two seconds; more than a few at once keep each other from starting.
export default projectConfig(import.meta.dirname, { maxConcurrency: 3, testTimeout: 90_000 });
