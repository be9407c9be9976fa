import { MarketDataError } from '@aipx/market-model';
import { shownUrl } from './options.js';

/** What a system's or library's code means, for somebody who has to decide what to do. */
const MEANINGS: ReadonlyMap<string, (host: string) => string> = new Map([
  ['ENOTFOUND', (host) => `no machine is known by the name ${host}; is it spelled right?`],
  ['EAI_AGAIN', (host) => `the name ${host} cannot be looked up; is there a network?`],
  ['ECONNREFUSED', (host) => `nothing listens at ${host}`],
  ['ECONNRESET', (host) => `${host} reset the connection`],
  ['EPIPE', (host) => `${host} has closed the connection`],
  ['ETIMEDOUT', (host) => `${host} does not answer`],
  ['EHOSTUNREACH', (host) => `there is no way to ${host}; is there a network?`],
  ['ENETUNREACH', (host) => `there is no way to ${host}; is there a network?`],
  ['EPROTO', (host) => `${host} does not speak TLS; should the address begin with ws://?`],
  ['CERT_HAS_EXPIRED', (host) => `the certificate of ${host} has expired`],
  ['ERR_TLS_CERT_ALTNAME_INVALID', (host) => `the certificate shown is not one of ${host}`],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', (host) => `the certificate of ${host} is signed by itself`],
  ['SELF_SIGNED_CERT_IN_CHAIN', (host) => `the certificate of ${host} is signed by nobody we trust`],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', (host) => `the certificate of ${host} is signed by nobody we trust`],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', (host) => `the certificate of ${host} is signed by nobody we trust`],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', (host) => `${host} sent a frame larger than we take`],
]);

const PASSING: ReadonlySet<number> = new Set([408, 418, 425, 429]);

/** The socket did not open. Trying again may help. */
export function openingFailed(url: string, cause: unknown): MarketDataError {
  return failure('CONNECTION_FAILED', url, `cannot connect to ${shownUrl(url)}: ${meaningOf(url, cause)}`, cause);
}

export function openingTimedOut(url: string, millis: number): MarketDataError {
  return failure('CONNECTION_FAILED', url, `cannot connect to ${shownUrl(url)}: no WebSocket within ${millis} ms`);
}

/** An open connection broke. */
export function connectionBroke(url: string, cause: unknown): MarketDataError {
  return failure('CONNECTION_LOST', url, `connection to ${shownUrl(url)} lost: ${meaningOf(url, cause)}`, cause);
}

/** 1005 and 1006 never stand on the wire: they say that there was no code, and no close frame at all. */
export function connectionClosed(url: string, code: number, reason: string): MarketDataError {
  const said =
    code === 1006 ? 'ended without a close frame' : `closed by the venue with code ${code}${reason && ` (${reason})`}`;
  return new MarketDataError('CONNECTION_LOST', `connection to ${shownUrl(url)} ${said}`, {
    context: { url: shownUrl(url), closeCode: code },
    retryable: true,
  });
}

export function connectionSilent(url: string, millis: number): MarketDataError {
  return failure('CONNECTION_LOST', url, `connection to ${shownUrl(url)} is open but sent no message for ${millis} ms`);
}

export function connectionUnanswered(url: string, millis: number): MarketDataError {
  return failure(
    'CONNECTION_LOST',
    url,
    `connection to ${shownUrl(url)} is open but answered no ping for ${millis} ms`,
  );
}

/**
 * The venue answered the handshake with an HTTP status. Too many requests, also where it shuts an address out for a
 * time (418), and its own troubles (5xx) pass; other refusals do not change by asking again.
 */
export function handshakeRefused(url: string, status: number, retryAfter: string | undefined): MarketDataError {
  const passes = status >= 500 || PASSING.has(status);
  const seconds = /^\d{1,5}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
  return new MarketDataError(
    'CONNECTION_REFUSED_BY_VENUE',
    `${shownUrl(url)} refused the connection with HTTP status ${status}` +
      (seconds === undefined ? '' : `, to be tried again after ${seconds} s`),
    {
      context: { url: shownUrl(url), status, ...(seconds !== undefined && { retryAfterMs: seconds * 1_000 }) },
      retryable: passes,
    },
  );
}

function failure(code: 'CONNECTION_FAILED' | 'CONNECTION_LOST', url: string, message: string, cause?: unknown) {
  return new MarketDataError(code, message, { cause, context: { url: shownUrl(url) }, retryable: true });
}

function meaningOf(url: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return MEANINGS.get(code)?.(new URL(url).host) ?? (cause instanceof Error ? cause.message || code : String(cause));
}
