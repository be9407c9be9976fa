/** Starts the worker from its source, which is how tests run it; a build has `worker.js` and never comes here. */
import './source-hooks.mjs';

await import('../../src/parquet/worker.ts');
