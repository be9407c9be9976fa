import { KisAccounts, type KisEnvironment } from '../../src/index.js';

/** Of the shape that KIS prints. */
export const API_KEY = 'PSkeyAbCdEfGhIjKlMnOpQrStUvWxYz01234';
export const API_SECRET = `${'s3cr3tOfTheAccount+/'.repeat(8)}${'0123456789abcdefghi='}`;
export const SECRETS = { [API_KEY]: API_SECRET };
/** 2026-11-21 00:00:00 UTC, 09:00 in Korea. */
export const MORNING = Date.UTC(2026, 10, 21);

export function oneAccount(environment: KisEnvironment = 'real', apiSecret = API_SECRET): Promise<KisAccounts> {
  return KisAccounts.load({ environment, apiKey: API_KEY, apiSecret });
}
