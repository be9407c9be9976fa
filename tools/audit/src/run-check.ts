import type { RunSummary } from './pipeline-run.ts';

/** What the run's own account says that the frames do not bear out, in words. */
export function runFaults(unreadable: number, summary: RunSummary): readonly string[] {
  const faults: string[] = [];
  const { rejected } = summary.dropped;
  if (rejected !== unreadable) faults.push(`run: rejected ${rejected}, but ${unreadable} frames are unreadable`);
  if (!summary.ok) faults.push('run: says itself that its numbers do not add up');
  return faults;
}
