import { MarketDataError } from '@aipx/market-model';
import type { VenueDriver } from '@aipx/venue';

const TIMEOUT_MS = 10_000;

/**
 * Which of the symbols the venue does not list. Venues answer a subscription to an unknown code with silence, so their
 * list is the only way to tell a typing mistake from a quiet market.
 *
 * @returns none for a venue without a list
 * @throws {MarketDataError} `CONNECTION_FAILED` when the list cannot be had
 */
export async function unknownSymbols(
  driver: VenueDriver,
  apiUrl: string,
  symbols: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { symbolList } = driver;
  if (symbolList === undefined) return [];
  const url = `${apiUrl}${symbolList.path}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const listed = new Set(symbolList.read(await response.text()));
    return symbols.filter((symbol) => !listed.has(symbol));
  } catch (cause) {
    signal.throwIfAborted();
    const reason = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : '';
    throw new MarketDataError('CONNECTION_FAILED', `${driver.id}: no list of markets from ${url}: ${reason}`, {
      cause,
      retryable: true,
    });
  }
}
