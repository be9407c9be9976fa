import { MarketDataError } from '@aipx/market-model';
import { down } from './cli/down.js';
import { logs } from './cli/logs.js';
import { fetchPart, unavailable } from './cli/parts.js';
import { status } from './cli/status.js';
import { up } from './cli/up.js';
import { readRequest, type Request } from './cli/usage.js';

// `npm run stack`: results on standard output, talk on standard error.

const INTERRUPTED = 130;

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const request = readRequest(process.argv.slice(2));
process.exitCode = typeof request === 'number' ? request : await carryOut(request, stop.signal);

async function carryOut(asked: Request, signal: AbortSignal): Promise<number> {
  try {
    return await run(asked, signal);
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    if (!(error instanceof MarketDataError)) throw error;
    note(error.message);
    return 1;
  }
}

async function run(asked: Request, signal: AbortSignal): Promise<number> {
  switch (asked.command) {
    case 'up':
      return await up(asked, signal, note);
    case 'status':
      return await status(asked.dir, signal);
    case 'logs':
      await logs(asked.dir, asked.parts, asked.follow, signal);
      return 0;
    case 'down':
      await down(asked.dir, asked.wipe, signal, note);
      return 0;
    case 'fetch': {
      const missing = asked.parts.map(unavailable).filter((reason) => reason !== undefined);
      for (const reason of missing) note(reason);
      const possible = asked.parts.filter((part) => unavailable(part) === undefined);
      await Promise.all(possible.map((part) => fetchPart(part, signal, note)));
      return missing.length === 0 ? 0 : 3;
    }
  }
}

function note(line: string): void {
  process.stderr.write(`aipx: ${line}\n`);
}
