import { MarketDataError } from '@aipx/market-model';

/** How a connection is encrypted, as Node's TLS takes it; absent: not at all. */
export interface DatabaseSsl {
  /** Whether the server must prove that it is the one of that name. */
  readonly rejectUnauthorized: boolean;
  /** PEM of the authorities that are believed, instead of those that Node knows. */
  readonly ca?: string;
}

export type SslMode = 'off' | 'require' | 'verify';

/**
 * The encryption for a mode: `require` against who listens, `verify` also against who pretends to be the server, by its
 * certificate and its name (libpq calls it `verify-full`).
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for authorities that nothing would check
 */
export function databaseSsl(mode: SslMode, ca?: string): DatabaseSsl | undefined {
  if (ca !== undefined && mode !== 'verify') {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `a certificate authority is given, and ssl is ${mode}: only verify checks it`,
    );
  }
  if (mode === 'off') return undefined;
  return { rejectUnauthorized: mode === 'verify', ...(ca !== undefined && { ca }) };
}
