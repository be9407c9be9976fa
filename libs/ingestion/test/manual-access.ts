import type { MarketDataError } from '@aipx/market-model';
import type { ConnectionAccess, ConnectionPass } from '@aipx/venue';
import { Mailbox } from './mailbox.js';

export interface Asked {
  readonly signal: AbortSignal;
  /** @param leave one that was granted before; absent: another process may have had it in between */
  readonly grant: (secret: string, leave?: AbortController) => AbortController;
  readonly refuse: (error: MarketDataError) => void;
}

/** Gives leave by hand, and remembers how each leave ended. */
export class ManualAccess implements ConnectionAccess {
  readonly asked = new Mailbox<Asked>();
  readonly ends = new Mailbox<string>();
  readonly confirmed: string[] = [];

  async enter(signal: AbortSignal): Promise<ConnectionPass> {
    const { promise, resolve, reject } = Promise.withResolvers<ConnectionPass>();
    this.asked.put({
      signal,
      grant: (secret, lost = new AbortController()) => {
        const left = (error: MarketDataError | undefined, isLast: boolean) =>
          this.ends.put(`${secret}: ${error?.code ?? 'as wanted'}${isLast ? ', the last' : ''}`);
        const confirmed = () => void this.confirmed.push(secret);
        resolve({ secret, lost: lost.signal, confirmed, left });
        return lost;
      },
      refuse: reject,
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return await promise;
  }
}
