import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run faults`: installs and builds what is missing, then kills the recorder again and again and counts.

ensureInstalled();
ensureAllBuilt();
// kafkajs counts milliseconds that are past, and newer versions of Node.js say so.
process.env.NODE_OPTIONS = '--disable-warning=TimeoutNegativeWarning';
becomePinned('tools/faults/src/main.ts', process.argv.slice(2));
