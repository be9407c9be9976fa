import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run simulator`: a simulated venue by itself, for trying a service against it.

ensureInstalled();
ensureAllBuilt();
becomePinned('tools/simulator/src/main.ts', process.argv.slice(2));
