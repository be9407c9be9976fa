/** Stable codes, in families. Logs, metrics and exit messages carry these; messages may change, codes may not. */
export const ERROR_CODES = [
  'CONFIG_INVALID',
  'CONFIG_UNKNOWN_VENUE',
  'CONFIG_SYMBOL',
  'CONFIG_FRAMES_FILE',
  'CONFIG_DATA_DIR_IN_USE',
  'CONFIG_PORT_IN_USE',
  'CONFIG_ALREADY_RUNNING',
  'CONFIG_ACCOUNT',
  'CONNECTION_FAILED',
  'CONNECTION_LOST',
  'CONNECTION_REFUSED_BY_VENUE',
  'CONNECTION_UNANSWERED',
  'CONNECTION_STATE',
  'CONNECTION_LEASE_LOST',
  'CONNECTION_NO_VENUE_LEFT',
  'VALIDATION_DECIMAL',
  'VALIDATION_FRAME',
  'VALIDATION_SYMBOL',
  'VALIDATION_TIME',
  'VALIDATION_TICK',
  'VALIDATION_ORDERBOOK',
  'VALIDATION_RECORD',
  'VALIDATION_CONFLICT',
  'PUBLISH_FAILED',
  'PUBLISH_TOO_LARGE',
  'STORE_UNAVAILABLE',
  'STORE_FULL',
  'STORE_LOG_MISMATCH',
  'STORE_POSITION_MOVED',
  'STORE_REFUSED',
  'STORE_DAMAGED',
  'STORE_NO_CONDITIONAL_WRITES',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  /** Named values that a reader needs: the symbol, the offset, the setting. Never a secret. */
  readonly context?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
  /** Whether the same call may succeed later without anybody changing anything. @default false */
  readonly retryable?: boolean;
}

/** The one error type of the platform: callers branch on `code` and `retryable`, never on the message. */
export class MarketDataError extends Error {
  override readonly name = 'MarketDataError';
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, string | number | boolean>>;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.context = details.context ?? {};
    this.retryable = details.retryable ?? false;
  }

  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(Object.keys(this.context).length > 0 && { context: this.context }),
      ...(this.cause !== undefined && { cause: causeText(this.cause) }),
    };
  }
}

/** The error itself when it already is ours, else a `MarketDataError` of `code` that keeps it as its cause. */
export function asMarketDataError(cause: unknown, code: ErrorCode, details: Omit<ErrorDetails, 'cause'> = {}) {
  return cause instanceof MarketDataError ? cause : new MarketDataError(code, causeText(cause), { ...details, cause });
}

/** Never empty: a refused connection to `localhost` is an `AggregateError` whose message says nothing. */
function causeText(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '')
    return cause.errors.map(causeText).join('; ') || cause.name;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
