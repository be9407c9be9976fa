import type { Subscription } from '@aipx/venue';

/** Tells a stream from the others of its venue. */
export function streamName({ channel, symbol }: Subscription): string {
  return `${channel} ${symbol}`;
}
