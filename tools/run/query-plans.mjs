import { becomePinned, ensureAllBuilt, ensureInstalled } from './workspace.mjs';

// `npm run query-plans`: installs and builds what is missing, then fills both kinds of database and times the queries.

ensureInstalled();
ensureAllBuilt();
becomePinned('tools/query-plans/src/main.ts', process.argv.slice(2));
