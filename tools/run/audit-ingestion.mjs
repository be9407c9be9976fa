import { becomePinned, ensureBuilt, ensureInstalled } from './workspace.mjs';

// `npm run audit:ingestion`: installs and builds what is missing, then breaks the ingestion service and compares.

ensureInstalled();
ensureBuilt('data-ingestion'); // with the stack and the simulator, which its tests need too
becomePinned('tools/ingestion-audit/src/main.ts', process.argv.slice(2));
