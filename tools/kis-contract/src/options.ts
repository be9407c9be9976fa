import { parseArgs } from 'node:util';
import { MarketDataError } from '@aipx/market-model';
import { kisDriver, MAX_REGISTRATIONS, STREAMS } from '@aipx/venue-kis';

export const USAGE =
  'usage: npm run kis:contract [-- --virtual|--real --markets 005930 --minutes 1 --token-limit]\n' +
  '  --virtual, --real  which servers; without either KIS_USE_VIRTUAL_SERVER says it, and without that they are the virtual ones\n' +
  '  --markets CODES    stocks to listen to, separated by commas\n' +
  '  --minutes N        how long to listen, 0.01 to 60\n' +
  '  --token-limit      asks for a second token within the minute, which must be refused\n' +
  'Keys come from KIS_API_KEY and KIS_API_SECRET or from KIS_ACCOUNTS_FILE (its first account).\n';

export interface Options {
  /** `undefined`: the settings say. */
  readonly host: 'virtual' | 'real' | undefined;
  readonly codes: readonly string[];
  readonly listenMs: number;
  readonly asksTokenLimit: boolean;
}

/**
 * @returns `undefined` when only the help is asked for
 * @throws {MarketDataError} `CONFIG_INVALID` or `CONFIG_SYMBOL` that names the flag or the code
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const { help, virtual, real, markets, minutes, tokenLimit } = parsed(args);
  if (help) return undefined;
  if (virtual && real) throw invalid('--virtual and --real are both given: give one of them');
  const codes = [...new Set(markets.split(',').map((code) => kisDriver().parseSymbol(code)))];
  // On the real host every stream of a code is a registration.
  const most = Math.floor(MAX_REGISTRATIONS / STREAMS.size);
  if (codes.length > most) throw invalid(`--markets: ${codes.length} codes; one session has room for ${most}`);
  const listened = Number(minutes);
  if (!(listened >= 0.01 && listened <= 60)) throw invalid(`--minutes: ${JSON.stringify(minutes)} is not 0.01 to 60`);
  return {
    host: virtual ? 'virtual' : real ? 'real' : undefined,
    codes,
    listenMs: listened * 60_000,
    asksTokenLimit: tokenLimit,
  };
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', default: false },
        virtual: { type: 'boolean', default: false },
        real: { type: 'boolean', default: false },
        markets: { type: 'string', default: '005930' },
        minutes: { type: 'string', default: '1' },
        'token-limit': { type: 'boolean', default: false },
      },
    });
    return { ...values, tokenLimit: values['token-limit'] };
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

function invalid(message: string): MarketDataError {
  return new MarketDataError('CONFIG_INVALID', message);
}
