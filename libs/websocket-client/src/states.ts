import type { MarketDataError, Nanoseconds } from '@aipx/market-model';

/**
 * - `DISCONNECTED`: nobody wants a connection.
 * - `CONNECTING`: the first attempt since `connect`.
 * - `CONNECTED`: the socket is open.
 * - `RECONNECTING`: there is none, and it is waited for or tried again.
 * - `FAILED`: given up, for good.
 */
export type ConnectionState = 'DISCONNECTED' | 'CONNECTING' | 'CONNECTED' | 'RECONNECTING' | 'FAILED';

/**
 * - `connect`, `close`: the owner says so.
 * - `opened`: the socket is open.
 * - `lost`: it did not open or is open no more, and another attempt follows.
 * - `failed`: likewise, and none follows: the tries are used up, or trying again cannot help.
 */
export type ConnectionTrigger = 'connect' | 'opened' | 'lost' | 'failed' | 'close';

/** Every change there is. What is not here does not happen; `connect` and `close` then do nothing. */
export const TRANSITIONS: Readonly<
  Record<ConnectionState, Readonly<Partial<Record<ConnectionTrigger, ConnectionState>>>>
> = {
  DISCONNECTED: { connect: 'CONNECTING' },
  CONNECTING: { opened: 'CONNECTED', lost: 'RECONNECTING', failed: 'FAILED', close: 'DISCONNECTED' },
  CONNECTED: { lost: 'RECONNECTING', failed: 'FAILED', close: 'DISCONNECTED' },
  RECONNECTING: { opened: 'CONNECTED', lost: 'RECONNECTING', failed: 'FAILED', close: 'DISCONNECTED' },
  FAILED: {},
};

export interface StateChange {
  readonly from: ConnectionState;
  /** `RECONNECTING` again when another attempt has failed. */
  readonly to: ConnectionState;
  readonly trigger: ConnectionTrigger;
  readonly at: Nanoseconds;
  /** The connection that opened, was lost or was closed. */
  readonly connectionId?: string;
  /** Why: with `lost` and `failed`. */
  readonly error?: MarketDataError;
  /** With `lost`: the wait before the next attempt, ms. */
  readonly retryInMs?: number;
  /** Connections and attempts that ended since data was confirmed. */
  readonly failures: number;
}
