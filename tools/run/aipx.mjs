import { becomePinned, ensureBuilt, ensureInstalled } from './workspace.mjs';

// `npm run aipx`: installs and builds what is missing, then verifies, queries or migrates.

ensureInstalled();
ensureBuilt('aipx');
becomePinned('apps/aipx/dist/main.js', process.argv.slice(2));
