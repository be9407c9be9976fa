import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run kis:contract`: installs and builds what is missing, then asks the real KIS whether it is still what we take it for.

ensureInstalled();
ensureAllBuilt();
becomePinned('tools/kis-contract/src/main.ts', process.argv.slice(2));
