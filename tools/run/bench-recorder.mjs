import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run bench:recorder`: installs and builds what is missing, then measures the recorders beside COPY and DuckDB.

ensureInstalled();
ensureAllBuilt();
// kafkajs counts milliseconds that are past, and newer versions of Node.js say so.
process.env.NODE_OPTIONS = '--disable-warning=TimeoutNegativeWarning';
becomePinned('tools/bench/src/recorder/main.ts', process.argv.slice(2));
