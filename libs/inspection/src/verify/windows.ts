import type { OffsetRange } from '@aipx/event-log';
import type { ManifestEntry } from '@aipx/lake';

/** A stretch of offsets that is compared in one go, and the batches it has in the lake. */
export interface Window extends OffsetRange {
  readonly entries: readonly ManifestEntry[];
}

export interface WindowOptions {
  readonly compared: OffsetRange;
  readonly entries: readonly ManifestEntry[];
  /** Whether every offset has its batch, so that a time can be looked up in the manifest. */
  readonly hasLake: boolean;
  readonly from?: bigint;
  readonly to?: bigint;
}

/** Offsets a window has at least, unless batches end: few enough for the files of a window to be fetched. */
const WINDOW_OFFSETS = 50_000n;

/**
 * Cuts a range at the batches of the lake, so that no file is read twice. With times, only batches that have one of the
 * hours are in a window.
 */
export function windowsOf({ compared, entries, hasLake, from, to }: WindowOptions): readonly Window[] {
  const windows: Window[] = [];
  let begin = compared.begin;
  let taken: ManifestEntry[] = [];
  const close = (end: bigint) => {
    const clipped = end > compared.end ? compared.end : end;
    if (clipped > begin) windows.push({ begin, end: clipped, entries: taken });
    begin = clipped > begin ? clipped : begin;
    taken = [];
  };
  for (const entry of hasLake ? entries : []) {
    if (entry.end <= begin || entry.begin >= compared.end) continue;
    if ((from !== undefined || to !== undefined) && !hasHour(entry, from, to)) {
      if (taken.length > 0) close(entry.begin);
      begin = entry.end;
      continue;
    }
    taken.push(entry);
    if (entry.end - begin >= WINDOW_OFFSETS) close(entry.end);
  }
  if (taken.length > 0) close(taken.at(-1)?.end ?? begin);
  if (!hasLake) while (begin < compared.end) close(begin + WINDOW_OFFSETS);
  return windows;
}

/** An entry without files may stand for undecodable records, which have no event time. */
function hasHour({ files }: ManifestEntry, from: bigint | undefined, to: bigint | undefined): boolean {
  return (
    files.length === 0 ||
    files.some(({ hour }) => {
      const begin = BigInt(Date.parse(`${hour}:00:00Z`)) * 1_000_000n;
      return (to === undefined || begin < to) && (from === undefined || begin + 3_600_000_000_000n > from);
    })
  );
}
