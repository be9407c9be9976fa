import type { SessionMemory, Subscription, VenueDriver } from '@aipx/venue';
import type { Nanoseconds } from '@aipx/market-model';

/** The part of a recording that earlier runs have published. */
export interface PlayedFrames {
  readonly frames: AsyncIterable<readonly Uint8Array[]>;
  /** When a frame was received, by its number from 0. */
  readonly receivedAt: (frame: number) => Nanoseconds;
}

/** Identifies nobody: what it opens is never connected. */
const SECRET = 'recall';

/**
 * What a venue's sessions would remember had they read on without a break: a resumed replay finds the same at its seam as one that never
 * stopped. `undefined` where they remember nothing. The log does not tell as much: its last trades may be of another source.
 */
export async function recall(
  driver: VenueDriver,
  subscriptions: readonly Subscription[],
  { frames, receivedAt }: PlayedFrames,
): Promise<SessionMemory | undefined> {
  const memory = driver.newMemory?.();
  if (memory === undefined) return undefined;
  const { bookDepth } = driver.defaults;
  const session = driver.openSession({ subscriptions, bookDepth, connectionId: SECRET, secret: SECRET, memory });
  let number = 0;
  for await (const some of frames) {
    for (const frame of some) {
      session.read(frame, receivedAt(number));
      number += 1;
    }
  }
  return memory;
}
