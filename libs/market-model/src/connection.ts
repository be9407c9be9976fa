/** How a venue wants a lost connection to be tried again. */
export interface ReconnectPolicy {
  /** Shortest and longest wait before an attempt, ms, jitter not counted. */
  readonly floorMs: number;
  readonly capMs: number;
  /** How much longer each wait is than the one before. From 1 on. */
  readonly factor: number;
  /** Share of the wait that is added at random on top, 0 to 1, so that clients do not return together. */
  readonly jitter: number;
  /** Attempts in a row without data before giving up. 0 = endless. */
  readonly retries: number;
}

/** What keeps a quiet connection from being closed by the venue, and tells whether the other end is still there. */
export interface KeepAlive {
  /** Interval, ms. Below half of `idleLimitMs`, so that one lost keepalive does no harm. */
  readonly everyMs: number;
  /** The text message to send; absent: a protocol-level ping frame. */
  readonly text?: string;
  /** Idle time, ms, after which the venue closes, as seen on the wire. */
  readonly idleLimitMs: number;
  /**
   * Longest time, ms, from a keepalive to the next sign of life: its answer, or anything else the venue sends. Absent
   * where the venue answers no keepalives.
   */
  readonly pongTimeoutMs?: number;
}

/** How many connections a venue lets one address begin: at most `attempts` within any `perMs` milliseconds. */
export interface ConnectLimit {
  readonly attempts: number;
  readonly perMs: number;
}
