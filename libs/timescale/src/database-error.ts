import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { DatabaseError } from 'pg';

/**
 * SQLSTATE classes that speak about a row and not about the server: data exception, integrity constraint, program
 * limit (a key too long for its index). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const ROW_CLASSES = new Set(['22', '23', '54']);
const UNIQUE_VIOLATION = '23505';

/** Lost connections, what was rolled back for another's sake, too few resources, a server that stops or starts. */
const AWAY = /^(08|40|53|57P)/;

/** Whether the server says that it cannot answer now: another try may help. */
export function isAway(error: unknown): boolean {
  return error instanceof DatabaseError && AWAY.test(error.code ?? '');
}

/** Whether the database refuses a row for what is in it, so that it would refuse it again. */
export function isRowRefusal(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && ROW_CLASSES.has(error.code?.slice(0, 2) ?? '');
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === UNIQUE_VIOLATION;
}

/** Node's codes for a certificate that no authority vouches for. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
/** What a server that demands encryption says to a connection without, since PostgreSQL 14 and before. */
const DEMANDS_ENCRYPTION = /\b(no encryption|SSL off)$/;
const KNOWS_NO_ENCRYPTION = 'The server does not support SSL connections';

/** What was said, and for what a setting of the encryption mends, the setting. */
export function reasonOf(cause: unknown): string {
  const { message } = asMarketDataError(cause, 'STORE_UNAVAILABLE');
  const mend = mendingOf((cause as NodeJS.ErrnoException | undefined)?.code ?? '', message);
  return mend === undefined ? message : `${message}: ${mend}`;
}

function mendingOf(code: string, message: string): string | undefined {
  if (UNTRUSTED.has(code)) return 'TIMESCALEDB_SSL_CA must name the authority that signed its certificate';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'TIMESCALEDB_HOST must be a name that its certificate has';
  if (DEMANDS_ENCRYPTION.test(message)) return 'it takes encrypted connections only, set TIMESCALEDB_SSL to verify';
  if (message === KNOWS_NO_ENCRYPTION) return 'switch encryption on there, or set TIMESCALEDB_SSL to off';
  return undefined;
}

/** What the database says, or its connection. All is worth another try: even a missing table may be made by then. */
export function storeUnavailable(cause: unknown, database: string): MarketDataError {
  if (cause instanceof MarketDataError) return cause;
  const code = cause instanceof DatabaseError ? cause.code : undefined;
  return new MarketDataError('STORE_UNAVAILABLE', `database ${database}: ${reasonOf(cause)}`, {
    cause,
    retryable: true,
    ...(code !== undefined && { context: { sqlstate: code } }),
  });
}
