import type { RecordedFrames } from './frames/frames.ts';
import type { RunSummary } from './pipeline-run.ts';

/** Frames of which nothing can be compared prove nothing. */
export function frameFaults({ venues }: Pick<RecordedFrames, 'venues'>): readonly string[] {
  const isEmpty = [...venues.values()].every(({ ticks, books }) => ticks.length + books.length === 0);
  return isEmpty ? ['frames: no trade and no book in them can be read, so there is nothing to compare'] : [];
}

/** What the run's own account says that the frames do not bear out, in words. */
export function runFaults(unreadable: number, summary: RunSummary): readonly string[] {
  const faults: string[] = [];
  const { rejected } = summary.dropped;
  if (rejected !== unreadable) faults.push(`run: rejected ${rejected}, but ${unreadable} frames are unreadable`);
  if (!summary.ok) faults.push('run: says itself that its numbers do not add up');
  return faults;
}
