import { becomePinned, ensureBuilt, ensureInstalled } from './workspace.mjs';

// `npm run bench`: installs and builds what is missing, then measures.

ensureInstalled();
ensureBuilt('standalone'); // its libraries are those that are measured
becomePinned('tools/bench/src/main.ts', process.argv.slice(2));
