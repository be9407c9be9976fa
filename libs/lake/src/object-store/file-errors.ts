import { asMarketDataError, MarketDataError } from '@aipx/market-model';

/** What no waiting mends: the name itself is wrong, or something else stands in its place. */
const FINAL = new Set(['ENAMETOOLONG', 'EINVAL', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EXDEV']);

export function isMissing(cause: unknown): boolean {
  return codeOf(cause) === 'ENOENT';
}

/** No space, no access, a broken or vanished disk: an outage to wait out. Anything else is refused. */
export function outage(cause: unknown, what: string): MarketDataError {
  const code = codeOf(cause);
  if (code === undefined) return asMarketDataError(cause, 'STORE_REFUSED');
  const message = `${what}: ${(cause as Error).message}`;
  return FINAL.has(code)
    ? new MarketDataError('STORE_REFUSED', message, { cause })
    : new MarketDataError('STORE_UNAVAILABLE', message, { cause, retryable: true });
}

/** The code of a failed system call. */
function codeOf(cause: unknown): string | undefined {
  const failed = cause as Partial<NodeJS.ErrnoException> | undefined;
  return failed?.syscall === undefined ? undefined : failed.code;
}
