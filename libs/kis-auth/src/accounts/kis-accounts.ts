import { MarketDataError } from '@aipx/market-model';
import { readAccountsFile } from './accounts-file.js';
import { credentialFault, KisAccount, type KisEnvironment } from './kis-account.js';

export interface KisAccountSettings {
  readonly environment: KisEnvironment;
  /** `KIS_API_KEY` */
  readonly apiKey?: string | undefined;
  /** `KIS_API_SECRET` */
  readonly apiSecret?: string | undefined;
  /** `KIS_ACCOUNTS_FILE`, instead of the two */
  readonly accountsFile?: string | undefined;
}

/**
 * The accounts that a process may use, at least one. A key allows one WebSocket session with 41 registrations and 18 REST calls a
 * second (the portal's notices of 2025-08-07 and 2026-04-20); several keys on one machine are allowed by the former.
 */
export class KisAccounts {
  readonly all: readonly KisAccount[];

  private constructor(all: readonly KisAccount[]) {
    this.all = all;
  }

  /** Accounts from elsewhere than the settings. */
  static of(accounts: readonly KisAccount[]): KisAccounts {
    return new KisAccounts(accounts);
  }

  /** @throws {MarketDataError} `CONFIG_ACCOUNT` that names the setting or the file and line, and what is right */
  static async load(settings: KisAccountSettings): Promise<KisAccounts> {
    const { environment, apiKey, apiSecret, accountsFile } = settings;
    if (accountsFile !== undefined) {
      if (apiKey !== undefined || apiSecret !== undefined) {
        throw refusal(
          'KIS_ACCOUNTS_FILE is set beside KIS_API_KEY or KIS_API_SECRET; set the file or the pair, not both',
        );
      }
      return new KisAccounts(await readAccountsFile(accountsFile, environment));
    }
    if (apiKey === undefined || apiSecret === undefined) {
      const missing = [apiKey === undefined && 'KIS_API_KEY', apiSecret === undefined && 'KIS_API_SECRET'];
      throw refusal(
        `${missing.filter(Boolean).join(' and ')} must be set: the pair that KIS issued for its ${environment} servers`,
      );
    }
    const wrong = credentialFault(apiKey, apiSecret);
    if (wrong !== undefined) throw refusal(`KIS_API_KEY and KIS_API_SECRET: ${wrong}`);
    return new KisAccounts([new KisAccount('default', environment, apiKey, apiSecret)]);
  }
}

function refusal(message: string): MarketDataError {
  return new MarketDataError('CONFIG_ACCOUNT', message);
}
