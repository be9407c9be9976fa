import { becomePinned, ensureBuilt, ensureInstalled } from './workspace.mjs';

// `npm start`: installs and builds what is missing, then becomes the standalone app.

ensureInstalled();
ensureBuilt('standalone');
becomePinned('apps/standalone/dist/main.js', process.argv.slice(2));
