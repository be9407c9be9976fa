import { MarketDataError } from '@aipx/market-model';
import { DatabaseError } from 'pg';

/**
 * SQLSTATE classes that speak about a row and not about the server: data exception, integrity constraint, program
 * limit (a key too long for its index). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const ROW_CLASSES = new Set(['22', '23', '54']);
const UNIQUE_VIOLATION = '23505';

/** Whether the database refuses a row for what is in it, so that it would refuse it again. */
export function isRowRefusal(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && ROW_CLASSES.has(error.code?.slice(0, 2) ?? '');
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === UNIQUE_VIOLATION;
}

/** What the database says, or its connection. All is worth another try: even a missing table may be made by then. */
export function storeUnavailable(cause: unknown, database: string): MarketDataError {
  if (cause instanceof MarketDataError) return cause;
  const code = cause instanceof DatabaseError ? cause.code : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new MarketDataError('STORE_UNAVAILABLE', `database ${database}: ${message}`, {
    cause,
    retryable: true,
    ...(code !== undefined && { context: { sqlstate: code } }),
  });
}
