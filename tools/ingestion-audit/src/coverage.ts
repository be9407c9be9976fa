import type { Connection, Cut } from './connections.ts';
import type { LoggedGap, SentFrame } from './records.ts';

/** The clocks of two processes on one machine differ by less, ns. */
const CLOCK_TOLERANCE = 50_000_000n;

/**
 * Whether a gap's stretch holds the moment at which a frame that was sent would have been received: not before it was
 * sent, and not later than the slowest of its connection took.
 */
export function holdsFrame({ from, to }: LoggedGap, frame: SentFrame, connection: Connection | undefined): boolean {
  const latest = frame.sentAt + (connection?.slowest ?? 0n) + CLOCK_TOLERANCE;
  return from <= latest && to >= frame.sentAt - CLOCK_TOLERANCE;
}

/** Whether a gap begins no later than the last frame before a cut came and ends no earlier than the first one after it. */
export function holdsCut({ from, to }: LoggedGap, { before, after }: Cut): boolean {
  return from <= before.lastSentAt + before.slowest + CLOCK_TOLERANCE && to >= after.firstSentAt - CLOCK_TOLERANCE;
}
