import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startVenueSimulator } from '@aipx/venue-simulator';
import { upbitSimulator } from '@aipx/venue-upbit/simulator';
import { compare, isSound } from './compare.ts';
import { readJournal } from './journal.ts';
import { watch } from './watch.ts';

const CODES = 'KRW-BTC KRW-ETH KRW-XRP KRW-SOL KRW-DOGE KRW-SHIB BTC-ETH BTC-DGB USDT-BTC USDT-PEPE'.split(' ');
/** What is under way when the simulator falls silent has arrived after this, ms. */
const LAST_FRAMES_WITHIN = 1_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
  },
});
const [seconds, rate, seed] = [Number(values.seconds), Number(values.rate), Number(values.seed)];
if (!(seconds > 0 && rate > 0 && Number.isInteger(seed))) {
  process.stderr.write('usage: npx nx ccxt-check ccxt-check -- [--seconds 60] [--rate 500] [--seed 1]\n');
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'ccxt-check-'));
const journal = join(folder, 'journal.jsonl');
const stopping = new AbortController();
try {
  process.exitCode = (await check()) ? 0 : 1;
} finally {
  stopping.abort();
  await rm(folder, { recursive: true, force: true });
}

async function check(): Promise<boolean> {
  const simulator = await startVenueSimulator({
    venue: upbitSimulator,
    source: { kind: 'market', seed, rate },
    journal: { path: journal, frames: true },
    signal: stopping.signal,
  });
  const restUrl = new URL(simulator.apiUrl).origin;
  const watching = await watch({ restUrl, websocketUrl: simulator.websocketUrl, codes: CODES });
  await Promise.race([sleep(seconds * 1000), watching.failed, simulator.failed]);
  // Silence first: what ccxt has received but not returned yet would otherwise be lost with the connection.
  simulator.inject({ fault: 'silence', on: true });
  await Promise.race([sleep(LAST_FRAMES_WITHIN), watching.failed]);
  await watching.close();
  await simulator.finish();

  const rows = compare(await readJournal(journal), watching.records);
  console.table(rows);
  const total = (column: 'trades' | 'seen' | 'books' | 'booksSeen'): number =>
    rows.reduce((sum, row) => sum + row[column], 0);
  const sound =
    rows.length === CODES.length && rows.every(isSound) && watching.markets === upbitSimulator.symbols.length;
  console.log(
    `${sound ? 'ok' : 'FAILED'}: ccxt loaded ${watching.markets} of ${upbitSimulator.symbols.length} markets, ` +
      `returned ${total('seen')} of ${total('trades')} trades and ${total('booksSeen')} states of ${total('books')} books ` +
      `in ${seconds} s (${simulator.sent} frames sent)`,
  );
  return sound;
}
