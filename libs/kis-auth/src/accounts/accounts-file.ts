import { MarketDataError } from '@aipx/market-model';
import { usePrivateFile } from '../private-file.js';
import { credentialFault, KisAccount, type KisEnvironment } from './kis-account.js';

const SETTING = 'KIS_ACCOUNTS_FILE';
const MAX_BYTES = 1024 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$/;

/**
 * Reads the accounts of a file of mode 600: one a line, `name app-key app-secret`, separated by blanks. Empty lines and
 * those that begin with `#` are comments.
 *
 * @throws {MarketDataError} `CONFIG_ACCOUNT` with the file and the line, never with what stands there
 */
export async function readAccountsFile(path: string, environment: KisEnvironment): Promise<readonly KisAccount[]> {
  const text = await usePrivateFile(path, SETTING, async (file) => {
    const { size } = await file.stat();
    if (size > MAX_BYTES) throw fault(path, `has ${size} bytes; at most ${MAX_BYTES} are read`);
    return await file.readFile('utf8');
  });
  const accounts: KisAccount[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const account = parseLine(line, environment, (message) => fault(path, message, index + 1));
    for (const identity of [`name ${account.name}`, `app key ${account.keyHash}`]) {
      const earlier = lineOf.get(identity);
      if (earlier !== undefined) {
        const what = identity.startsWith('name') ? `name "${account.name}"` : 'app key';
        throw fault(
          path,
          `account "${account.name}" has the same ${what} as line ${earlier}; each stands once`,
          index + 1,
        );
      }
      lineOf.set(identity, index + 1);
    }
    accounts.push(account);
  }
  if (accounts.length === 0) throw fault(path, 'holds no account; a line is "name app-key app-secret"');
  return accounts;
}

function parseLine(
  line: string,
  environment: KisEnvironment,
  refuse: (message: string) => MarketDataError,
): KisAccount {
  const words = line.trim().split(/\s+/);
  const [name = '', apiKey = '', apiSecret = ''] = words;
  if (words.length !== 3) {
    throw refuse(`expected "name app-key app-secret", three words separated by blanks, but there are ${words.length}`);
  }
  // A word that is no name may be a key in the wrong place: it is not shown.
  if (!NAME.test(name)) {
    throw refuse('the first word is the account’s name: up to 35 letters, digits, dots, dashes and underscores');
  }
  const wrong = credentialFault(apiKey, apiSecret);
  if (wrong !== undefined) throw refuse(`account "${name}": ${wrong}`);
  return new KisAccount(name, environment, apiKey, apiSecret);
}

function fault(path: string, message: string, line?: number): MarketDataError {
  const place = line === undefined ? path : `${path} line ${line}`;
  const separator = line === undefined ? ' ' : ': ';
  return new MarketDataError('CONFIG_ACCOUNT', `${SETTING}: ${place}${separator}${message}`, {
    context: { setting: SETTING, path, ...(line !== undefined && { line }) },
  });
}
