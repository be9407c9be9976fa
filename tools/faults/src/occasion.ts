import { setTimeout as sleep } from 'node:timers/promises';
import { PASS, type Deed, type Moment } from './moment.ts';
import type { RecorderSlot } from './recorder-slot.ts';

const OCCASION_MS = 60_000;

/**
 * Waits until one of the recorders comes to a moment, and does something to it then.
 *
 * @returns `false` when none came to it within a minute
 */
export async function occasion(
  slots: readonly RecorderSlot[],
  waitsFor: (moment: Moment) => boolean,
  signal: AbortSignal,
  springs: (moment: Moment) => Deed = () => PASS,
): Promise<boolean> {
  const met = Promise.withResolvers<boolean>();
  const lift = slots.map(({ watch }) => {
    const ambush = {
      waitsFor,
      springs: (moment: Moment) => {
        met.resolve(true);
        return springs(moment);
      },
    };
    watch.lay(ambush);
    return () => watch.lift(ambush);
  });
  const over = new AbortController();
  const late = sleep(OCCASION_MS, false, { signal: AbortSignal.any([over.signal, signal]) }).catch(() => false);
  const isMet = await Promise.race([met.promise, late]);
  over.abort();
  for (const one of lift) one();
  return isMet;
}

/** A recorder has stored rows. */
export function isStoring(moment: Moment): boolean {
  return moment.wire === 'database' && moment.at === 'committed';
}

/** A recorder is in the middle of a batch of files. */
export function isWritingFiles(moment: Moment): boolean {
  return moment.wire === 's3' && moment.at === 'request' && moment.call.kind === 'file';
}
