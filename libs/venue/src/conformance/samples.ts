import type { Subscription } from '../driver.js';

/** What a venue hands to the suite: frames as its wire carries them, at least one for each subscription. */
export interface VenueSamples {
  /** The streams that the data frames carry: two symbols or more, every channel of the venue. */
  readonly subscriptions: readonly Subscription[];
  /** Sound market data of these subscriptions. */
  readonly data: readonly Uint8Array[];
  /** Frames without market data: heartbeats, acknowledgements. */
  readonly control: readonly Uint8Array[];
  /** Frames with which the venue turns a request down. */
  readonly refusals: readonly Uint8Array[];
  /** What a user may write, next to the venue's spelling. */
  readonly symbols: readonly (readonly [raw: string, spelled: string])[];
}
