import { MarketDataError } from '@aipx/market-model';
import { Client } from 'pg';
import type { DatabaseAddress } from '../database-address.js';

/** The database for messages: no user, no password. */
export function databasePlace({ database, host, port }: DatabaseAddress): string {
  return `${database} on ${host}:${port}`;
}

/**
 * Lends a connection that ends when the borrower has finished, or at once when the signal aborts.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when the database cannot be reached, `STORE_REFUSED` for what it says
 * to the borrower; an abort is thrown as it is
 */
export async function useMigrationClient<Result>(
  address: DatabaseAddress,
  signal: AbortSignal,
  borrow: (client: Client) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const client = new Client({ ...address, application_name: 'aipx-migrate', connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the call that is under way, which reports it.
  client.on('error', () => undefined);
  const where = databasePlace(address);
  await client.connect().catch((cause: unknown) => {
    const message = `database ${where} cannot be reached: ${String(cause)}`;
    throw new MarketDataError('STORE_UNAVAILABLE', message, { cause, retryable: true });
  });
  const leave = () => void client.end();
  signal.addEventListener('abort', leave, { once: true });
  try {
    signal.throwIfAborted();
    return await borrow(client);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof MarketDataError) throw cause;
    throw new MarketDataError('STORE_REFUSED', `database ${where} refuses a migration: ${String(cause)}`, { cause });
  } finally {
    signal.removeEventListener('abort', leave);
    await client.end();
  }
}
