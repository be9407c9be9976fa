import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run bench:ingestion`: installs and builds what is missing, then measures the ingestion service on a real broker.

ensureInstalled();
ensureAllBuilt();
// kafkajs counts milliseconds that are past, and newer versions of Node.js say so.
process.env.NODE_OPTIONS = '--disable-warning=TimeoutNegativeWarning';
becomePinned('tools/bench/src/ingestion/main.ts', process.argv.slice(2));
