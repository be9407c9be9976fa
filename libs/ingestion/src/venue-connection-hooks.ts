import type { MarketDataError } from '@aipx/market-model';
import type { Subscription, TradingNews } from '@aipx/venue';
import type { StateChange } from '@aipx/websocket-client';
import type { FrameUnit } from './frame-unit.js';

export interface VenueConnectionHooks {
  readonly onUnit: (unit: FrameUnit) => void;
  /**
   * There is leave to connect, for the first time or again after another process may have had it; that is done once this resolves. Never
   * rejects. `signal`: it will not be done.
   */
  readonly onLeave?: (signal: AbortSignal) => Promise<void> | undefined;
  /** The connection is closed from our side, or has failed for good: the leave is given back once this resolves. Never rejects. */
  readonly onClosed?: () => Promise<void>;
  readonly onState: (change: StateChange) => void;
  /** Subscribed codes of which nothing came on this connection within the time the venue takes to answer. */
  readonly onSilent: (symbols: readonly string[]) => void;
  /**
   * The venue does not send a stream, or no more. Told at each answer. It is asked for again after `retryInMs`; absent: not on
   * this connection.
   */
  readonly onRefused?: (subscription: Subscription, error: MarketDataError, retryInMs: number | undefined) => void;
  /** The venue has not answered for a stream in time. Told each time; `retryInMs` as above. */
  readonly onUnanswered?: (subscription: Subscription, error: MarketDataError, retryInMs: number | undefined) => void;
  /** The connection takes fewer streams than it was to have; says how many. */
  readonly onFull?: (error: MarketDataError) => void;
  /** Nothing of the stream was missed before this process. */
  readonly onPastWhole?: (subscription: Subscription) => void;
  /** Streams that were regular and have fallen silent among busy ones. Once for each time. */
  readonly onStale?: (streams: readonly Subscription[]) => void;
  /** The venue told of halts, interruptions and changes of session. */
  readonly onTrading?: (news: readonly TradingNews[]) => void;
  /** The venue behaves otherwise than is known of it. */
  readonly onNotices?: (notices: readonly string[]) => void;
  /** The connection will not come back. */
  readonly onFailed: (error: MarketDataError) => void;
}
