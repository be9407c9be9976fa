import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { ConnectionAccess, ConnectionPass } from '@aipx/venue';
import type { ConnectGate, ConnectTurn } from '@aipx/websocket-client';

/** Waits for leave to connect, and then for a turn among all attempts of this process. Holds the leave while it is used. */
export class AccessGate implements ConnectGate {
  readonly #access: ConnectionAccess;
  readonly #turns: ConnectGate;
  readonly #signal: AbortSignal;
  #pass: ConnectionPass | undefined;

  constructor(access: ConnectionAccess, turns: ConnectGate, signal: AbortSignal) {
    this.#access = access;
    this.#turns = turns;
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
    void this.#access.enter(AbortSignal.any([this.#signal, released.signal])).then(
      (pass) => {
        if (released.signal.aborted) return pass.left(undefined, true);
        this.#pass = pass;
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
