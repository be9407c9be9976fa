import { becomePinned, ensureBuilt, ensureInstalled } from './workspace.mjs';

// `npm run stack`: installs and builds what is missing, then starts, shows or stops the local servers.

ensureInstalled();
ensureBuilt('stack');
becomePinned('tools/stack/dist/main.js', process.argv.slice(2));
