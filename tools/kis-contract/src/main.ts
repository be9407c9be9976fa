import { KisAuth } from '@aipx/kis-auth';
import { asMarketDataError, type MarketDataError } from '@aipx/market-model';
import { onStopSignals } from '@aipx/service';
import { readOptions, USAGE } from './options.ts';
import { Redactor } from './redactor.ts';
import { Report } from './report.ts';
import { runContract } from './run.ts';
import { readSettings, type Settings } from './settings.ts';

const INTERRUPTED = 130;
const PORTAL = 'https://apiportal.koreainvestment.com';

const redactor = new Redactor();
const { stop } = onStopSignals();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (cause) {
  process.exitCode = stop.aborted ? INTERRUPTED : failed(asMarketDataError(cause, 'CONNECTION_FAILED'));
}

/** @returns the exit code: 0 also where nothing was seen, 1 when something differs */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const settings = await readSettings(options.host);
  for (const secret of settings.secrets) redactor.learn(secret);
  if (settings.loadAccounts === undefined) {
    console.log(skipped(settings));
    return 0;
  }
  const { environment, apiUrl, websocketUrl, silenceTimeoutMs, redis, tokenFile } = settings;
  const accounts = await settings.loadAccounts();
  for (const { apiKey, apiSecret } of accounts.all) for (const secret of [apiKey, apiSecret]) redactor.learn(secret);
  const report = new Report(redactor, (line) => console.log(line));
  const auth = await KisAuth.open({ accounts, redis, tokenFile });
  try {
    const [key] = auth.keys;
    if (key === undefined) return failed(asMarketDataError('there is no account', 'CONFIG_ACCOUNT'));
    const { codes, listenMs, asksTokenLimit } = options;
    const { name, keyHash } = key.account;
    const from = new Date().toISOString();
    const subject = `${codes.join(', ')} for ${listenMs / 60_000} min`;
    report.note(`kis contract run: ${environment} servers, account "${name}" (${keyHash}), ${subject}, from ${from}`);
    const common = { environment, apiUrl, websocketUrl, silenceTimeoutMs, redactor, report };
    await runContract({ ...common, key, codes, listenMs, asksTokenLimit, signal: stop });
    report.close();
    return report.hasDifferences ? 1 : 0;
  } finally {
    await auth.close();
  }
}

function skipped({ environment }: Settings): string {
  return (
    'SKIPPED kis contract run: nothing was checked; ' +
    `set KIS_API_KEY and KIS_API_SECRET (or KIS_ACCOUNTS_FILE) to a key of the ${environment} servers, ` +
    `get a key at ${PORTAL}`
  );
}

function failed({ code, message }: MarketDataError): number {
  const isUsage = code === 'CONFIG_INVALID' || code === 'CONFIG_SYMBOL';
  process.stderr.write(redactor.clean(`${code}: ${message}\n`) + (isUsage ? USAGE : ''));
  return code.startsWith('CONFIG_') ? 2 : 1;
}
