import type { MarketDataError } from '@aipx/market-model';

/** Gives leave to connect, where a venue wants a key, or lets a key have one connection at a time. One a connection. */
export interface ConnectionAccess {
  /** What it waits for is another process, which has what this one would take over: no fault. Absent: that never is so. */
  readonly isStandingBy?: boolean;
  /**
   * Resolves when an attempt to connect may begin. May take hours: another process holds the key, or the venue wants to be
   * left alone for a while.
   *
   * @throws {MarketDataError} not retryable when there will never be leave, such as for a key that the venue refuses; or the
   * signal's reason when it aborts
   */
  enter(signal: AbortSignal): Promise<ConnectionPass>;
}

/** Leave for one attempt and the connection that it becomes. */
export interface ConnectionPass {
  /** What identifies us to the venue. Never in an error or a log. */
  readonly secret: string;
  /**
   * Aborts, with its reason, when the leave has ended: the connection must end at once. The same signal in the next pass says that
   * nobody else had the leave in between.
   */
  readonly lost: AbortSignal;
  /** The venue has let us in: it sends what was asked for, or says that it will. May be called again and again. */
  confirmed(): void;
  /**
   * The attempt, or the connection, has ended: as we wanted, or with this error. Called once. `isLast`: no other follows of itself,
   * so whoever waits may have the leave.
   */
  left(error: MarketDataError | undefined, isLast: boolean): void;
}
