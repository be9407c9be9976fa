import { becomePinned, ensureBuilt, ensureInstalled } from './workspace.mjs';

// `npm run query-plans`: installs and builds what is missing, then fills both kinds of database and times the queries.

ensureInstalled();
ensureBuilt('standalone'); // the libraries that prepare and start the databases
becomePinned('tools/query-plans/src/main.ts', process.argv.slice(2));
