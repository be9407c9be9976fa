import type { MarketDataError } from '@aipx/market-model';

/** One attempt's place, from the wish to connect until its outcome is known. */
export interface ConnectTurn {
  /** The attempt has ended, however it did, or is no longer wanted. Again does nothing. */
  release(): void;
}

/** Lets attempts to connect begin: at once, later, or never. */
export interface ConnectGate {
  /**
   * Calls `start` once the attempt may begin, or `refuse` when it may not: with a retryable error another attempt is asked for
   * after a wait, with any other none ever is. Neither is called once the turn is released, nor `refuse` before this returns.
   */
  request(start: () => void, refuse: (error: MarketDataError) => void): ConnectTurn;
}
