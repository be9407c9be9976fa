import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run audit:ingestion`: installs and builds what is missing, then breaks the ingestion service and compares.

ensureInstalled();
ensureAllBuilt();
becomePinned('tools/ingestion-audit/src/main.ts', process.argv.slice(2));
