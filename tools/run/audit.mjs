import { becomePinned, ensureInstalled } from './workspace.mjs';

// `npm run audit`: installs what is missing, then compares recorded frames with what is stored.

ensureInstalled();
becomePinned('tools/audit/src/main.ts', process.argv.slice(2));
