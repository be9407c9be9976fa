import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run bench`: installs and builds what is missing, then measures.

ensureInstalled();
ensureAllBuilt();
becomePinned('tools/bench/src/main.ts', process.argv.slice(2));
