import { MarketDataError } from '@aipx/market-model';
import type { Client } from 'pg';
import { Connection } from '../connection.js';
import type { DatabaseAddress } from '../database-address.js';
import { isAway, reasonOf } from '../database-error.js';

/** The database for messages: no user, no password. */
export function databasePlace({ database, host, port }: DatabaseAddress): string {
  return `${database} on ${host}:${port}`;
}

/**
 * Lends a connection that ends when the borrower has finished, or at once when the signal aborts.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE`, retryable, when the database cannot be reached, or not any more;
 * `STORE_REFUSED` for what else it says to the borrower; an abort is thrown as it is
 */
export async function useMigrationClient<Result>(
  address: DatabaseAddress,
  signal: AbortSignal,
  borrow: (client: Client) => Promise<Result>,
): Promise<Result> {
  const place = databasePlace(address);
  const connection = await Connection.open(address, { application_name: 'aipx-migrate' }, signal).catch(
    (cause: unknown) => {
      signal.throwIfAborted();
      throw unavailable(`database ${place} cannot be reached: ${reasonOf(cause)}`, cause);
    },
  );
  let isLost = false;
  const work = async () => {
    try {
      return await borrow(connection.client);
    } finally {
      isLost = connection.isCut;
    }
  };
  try {
    return await connection.use(signal, work);
  } catch (cause) {
    signal.throwIfAborted();
    if (isLost || isAway(cause)) throw unavailable(`database ${place} was lost: ${reasonOf(cause)}`, cause);
    if (cause instanceof MarketDataError) throw cause;
    throw new MarketDataError('STORE_REFUSED', `database ${place} refuses a migration: ${reasonOf(cause)}`, { cause });
  } finally {
    await connection.close();
  }
}

function unavailable(message: string, cause: unknown): MarketDataError {
  return new MarketDataError('STORE_UNAVAILABLE', message, { cause, retryable: true });
}
