import { parseArgs } from 'node:util';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { onStopSignals } from '@aipx/service';
import { venueById, venues } from '@aipx/venue-registry';
import { startVenueSimulator } from '@aipx/venue-simulator';

const USAGE =
  `usage: npm run simulator -- [--venue ${Object.keys(venues).join('|')}] [--port 7000] [--rate 100] [--symbols KRW-BTC,KRW-ETH] [--seed 1] [--journal FILE] [--counters FILE]\n` +
  'Faults on request: curl -X POST http://127.0.0.1:PORT/__simulator/faults -d \'{"fault":"cut","how":"reset"}\'\n';

try {
  await run();
} catch (cause) {
  const error = asMarketDataError(cause, 'CONFIG_INVALID');
  process.stderr.write(`${error.code}: ${error.message}\n${USAGE}`);
  process.exitCode = error.code.startsWith('CONFIG_') ? 2 : 1;
}

/** Until Ctrl-C. */
async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      venue: { type: 'string', default: 'upbit' },
      port: { type: 'string', default: '0' },
      rate: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      symbols: { type: 'string' },
      journal: { type: 'string' },
      counters: { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { stop } = onStopSignals();
  const symbols = values.symbols?.split(',');
  const simulator = await startVenueSimulator({
    venue: await venueById(values.venue).loadSimulator(),
    source: {
      kind: 'market',
      seed: whole('seed', values.seed),
      rate: whole('rate', values.rate),
      ...(symbols && { symbols }),
      ...(values.counters !== undefined && { countersFile: values.counters }),
    },
    port: whole('port', values.port),
    faultsEndpoint: true,
    ...(values.journal !== undefined && { journal: { path: values.journal } }),
    signal: new AbortController().signal,
  });
  const prefix = values.venue.toUpperCase();
  console.log(`${prefix}_WEBSOCKET_URL=${simulator.websocketUrl}\n${prefix}_API_URL=${simulator.apiUrl}`);
  const stopped = new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => {
      resolve();
    });
  });
  await Promise.race([simulator.failed, stopped]);
  await simulator.stop();
}

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new MarketDataError('CONFIG_INVALID', `--${name}: ${JSON.stringify(text)} is not a whole number`);
}
