import { becomePinned, ensureBuilt, ensureInstalled } from './workspace.mjs';

// `npm run simulator`: a simulated venue by itself, for trying a service against it.

ensureInstalled();
ensureBuilt('standalone'); // its libraries are those that are needed
becomePinned('tools/simulator/src/main.ts', process.argv.slice(2));
