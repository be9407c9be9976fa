import { setTimeout as sleep } from 'node:timers/promises';
import { asMarketDataError, type MarketDataError } from '@aipx/market-model';

const FLOOR_MS = 500;
const CAP_MS = 15_000;

/**
 * Opens a store, however long it takes: one that is away comes back, and a missing bucket, table or right can be given
 * while this waits, which a process that ended would not notice.
 *
 * @param onFault called with each failure
 * @throws what nothing but other settings can mend, or the signal's reason when it aborts
 */
export async function opened<Store>(
  open: () => Promise<Store>,
  { signal, onFault }: { readonly signal: AbortSignal; readonly onFault: (error: MarketDataError) => void },
): Promise<Store> {
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await open();
    } catch (cause) {
      signal.throwIfAborted();
      const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
      if (!error.retryable && error.code !== 'STORE_REFUSED') throw cause;
      onFault(error);
      const longest = Math.min(CAP_MS, FLOOR_MS * 2 ** Math.min(failures, 30));
      await sleep(longest * (1 - Math.random() / 2), undefined, { signal });
    }
  }
}
