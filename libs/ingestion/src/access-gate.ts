import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { ConnectionAccess, ConnectionPass } from '@aipx/venue';
import type { ConnectGate, ConnectTurn } from '@aipx/websocket-client';

/** Waits for leave to connect, and then for a turn among all attempts of this process. Holds the leave while it is used. */
export class AccessGate implements ConnectGate {
  readonly #access: ConnectionAccess;
  readonly #turns: ConnectGate;
  readonly #prepare: (signal: AbortSignal) => Promise<void> | undefined;
  readonly #signal: AbortSignal;
  #pass: ConnectionPass | undefined;
  /** Of the leave that was prepared for. Another process may have had any other one since. */
  #prepared: AbortSignal | undefined;

  /**
   * @param prepare what is to be done before a leave is used that was had by nobody, or by another one, before. Never rejects. Its
   * signal: the leave is of no use any more
   */
  constructor(
    access: ConnectionAccess,
    turns: ConnectGate,
    prepare: (signal: AbortSignal) => Promise<void> | undefined,
    signal: AbortSignal,
  ) {
    this.#access = access;
    this.#turns = turns;
    this.#prepare = prepare;
    this.#signal = signal;
  }

  /** Of the attempt or connection that is under way. */
  get pass(): ConnectionPass | undefined {
    return this.#pass;
  }

  /** Another process has what is waited for. */
  get isStandingBy(): boolean {
    return this.#access.isStandingBy ?? false;
  }

  request(start: () => void, refuse: (error: MarketDataError) => void): ConnectTurn {
    const released = new AbortController();
    let turn: ConnectTurn | undefined;
    const ended = AbortSignal.any([this.#signal, released.signal]);
    void this.#access.enter(ended).then(
      async (pass) => {
        if (released.signal.aborted) return pass.left(undefined, true);
        this.#pass = pass;
        if (pass.lost !== this.#prepared) await this.#prepare(ended);
        if (released.signal.aborted) return;
        this.#prepared = pass.lost;
        turn = this.#turns.request(start, refuse);
      },
      (cause: unknown) => {
        if (!released.signal.aborted && !this.#signal.aborted) refuse(asMarketDataError(cause, 'CONNECTION_FAILED'));
      },
    );
    return {
      release: () => {
        released.abort();
        turn?.release();
      },
    };
  }

  /** The attempt, or the connection, has ended: as we wanted, or with this error. `isLast`: none is asked for of itself. */
  left(error: MarketDataError | undefined, isLast: boolean): void {
    const pass = this.#pass;
    this.#pass = undefined;
    if (isLast || pass?.lost.aborted) this.#prepared = undefined;
    pass?.left(error, isLast);
  }
}

/** Whoever gets the leave next must know. */
export function closeUnanswered(venue: string): MarketDataError {
  return new MarketDataError('CONNECTION_LOST', `${venue} has not answered our close: its session may still stand`, {
    retryable: true,
  });
}

export function leaveLost(venue: string, reason: unknown): MarketDataError {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new MarketDataError('CONNECTION_LOST', `${venue}: the leave to be connected has ended: ${why}`, {
    cause: reason,
    retryable: true,
  });
}
