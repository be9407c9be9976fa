import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { MarketDataError } from '@aipx/market-model';
import type { VenueDriver } from '@aipx/venue';

const TIMEOUT_MS = 10_000;

// `fetch` would be shorter. It is a client of several megabytes that a service needs once, at its start, and keeps.
const clients = {
  'http:': process.getBuiltinModule('node:http'),
  'https:': process.getBuiltinModule('node:https'),
};

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
    const answer = await getText(new URL(url), AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
    const listed = new Set(symbolList.read(answer));
    return symbols.filter((symbol) => !listed.has(symbol));
  } catch (cause) {
    signal.throwIfAborted();
    throw new MarketDataError('CONNECTION_FAILED', `${driver.id}: no list of markets from ${url}: ${reasonOf(cause)}`, {
      cause,
      retryable: true,
    });
  }
}

async function getText(url: URL, signal: AbortSignal): Promise<string> {
  const client = clients[url.protocol as keyof typeof clients];
  const request: ClientRequest = client.get(url, { agent: false, signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`HTTP ${String(response.statusCode)}`);
  return body;
}

/** An aborted request has its reason as its cause; a host whose every address refuses, a code and no message. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.cause instanceof Error) return cause.cause.message;
  return cause.message || String((cause as NodeJS.ErrnoException).code);
}
