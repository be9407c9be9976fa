import { MarketDataError } from '@aipx/market-model';
import type { StoredBatch } from '@aipx/recording';
import { BatchTooLarge } from '../parquet/batch-encoder.js';
import type { HourFile } from '../parquet/encode-batch.js';
import type { FileContent } from '../parquet/inspect-file.js';
import type { LakeParts } from './lake-partition.js';
import { entryBytes, readEntry, type ManifestEntry, type ManifestFile } from './manifest-entry.js';
import { edgesOf, restOf } from './offset-ranges.js';
import type { Plan, PlannedHour } from './plan.js';
import { restOfPlanned } from './same-reading.js';
import { damaged } from './stored-json.js';

/** A file of the batch as it lies in the store. */
interface LyingFile extends FileContent {
  readonly planned: PlannedHour;
}

/**
 * The steps after a plan: dead letters, files, entry. May be done any number of times and by several owners at once; all
 * end with the same objects, because none is ever replaced and the entry follows from plan and files alone.
 *
 * @param files one for each planned hour, as this owner would write them
 */
export async function finishBatch(parts: LakeParts, plan: Plan, files: readonly HourFile[]): Promise<StoredBatch> {
  if (plan.undecodable.length > 0) await parts.session.onUndecodable(plan.undecodable);
  const lying: LyingFile[] = [];
  for (const planned of plan.hours) {
    // Also without a row left: an hour that has no file yet could still get one from a slower owner, after the entry.
    lying.push({ ...(await storeFile(parts, plan, planned, fileOf(planned, files))), planned });
  }
  const missing = missingOf(parts, plan, lying);
  const entry = entryOf(parts, plan, lying, missing);
  await storeEntry(parts, entry);
  const { begin, end, undecodable } = plan;
  return { begin, end, rows: entry.rows, files: entry.files.length, bytes: entry.bytes, undecodable, missing };
}

function fileOf(planned: PlannedHour, files: readonly HourFile[]): HourFile {
  const file = files.find(({ hour }) => hour === planned.hour);
  if (file === undefined) throw new TypeError(`no file was made for the planned hour ${planned.hour}`);
  return file;
}

async function storeFile(parts: LakeParts, plan: Plan, planned: PlannedHour, file: HourFile): Promise<FileContent> {
  const { objects, names } = parts;
  const key = names.key(names.file(planned.hour, plan.begin));
  if ((await objects.putIfAbsent(key, file.bytes)) === 'created') return { ...file, bytes: file.bytes.byteLength };
  const content = await readFile(parts, key);
  expectPlanned(key, planned, content);
  return content;
}

async function readFile({ objects, encoder }: LakeParts, key: string): Promise<FileContent> {
  const bytes = await objects.get(key);
  if (bytes === undefined) throw damaged(key, 'was there a moment ago and is gone');
  try {
    return await encoder.inspect(bytes);
  } catch (cause) {
    if (isOfEncoder(cause)) throw cause;
    throw damaged(key, `is not a file of the lake: ${(cause as Error).message}`, cause);
  }
}

/** Of the one who looked, such as a want of memory: it tells nothing about the file. */
function isOfEncoder(cause: unknown): boolean {
  return cause instanceof BatchTooLarge || (cause instanceof MarketDataError && cause.code === 'STORE_UNAVAILABLE');
}

/** A file may have fewer rows than planned, when retention was faster than its writer; never others. */
function expectPlanned(key: string, planned: PlannedHour, { rows, offsets }: FileContent): void {
  if (restOfPlanned(planned, { rows, offsets }) !== 'other') return;
  const [first, last] = edgesOf(offsets);
  const { rows: plannedRows, first: plannedFirst, last: plannedLast } = planned;
  throw damaged(
    key,
    `has ${rows} rows from offset ${first} to ${last}; its plan says ${plannedRows} from ${plannedFirst} to ${plannedLast}`,
  );
}

function missingOf({ names }: LakeParts, plan: Plan, lying: readonly LyingFile[]) {
  const missing = restOf(plan, [...plan.undecodable, ...plan.unused, ...lying.flatMap(({ offsets }) => offsets)]);
  if (missing === undefined)
    throw damaged(names.plan(plan.begin), 'has files in which an offset stands twice or outside');
  return missing;
}

function entryOf(
  { names }: LakeParts,
  plan: Plan,
  lying: readonly LyingFile[],
  missing: ManifestEntry['missing'],
): ManifestEntry {
  const files = lying.map(({ planned: { hour }, rows, offsets, bytes, sha256 }): ManifestFile => {
    const [first, last] = edgesOf(offsets);
    return { name: names.file(hour, plan.begin), hour, rows, first, last, bytes, sha256 };
  });
  return {
    partition: plan.partition,
    logId: plan.logId,
    begin: plan.begin,
    end: plan.end,
    files,
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    missing,
  };
}

async function storeEntry({ objects, names }: LakeParts, entry: ManifestEntry): Promise<void> {
  const key = names.entry(entry.begin);
  const bytes = entryBytes(entry);
  if ((await objects.putIfAbsent(key, bytes)) === 'created') return;
  const found = await objects.get(key);
  if (found === undefined) throw damaged(key, 'was there a moment ago and is gone');
  if (Buffer.compare(entryBytes(readEntry(key, found)), bytes) !== 0)
    throw damaged(key, 'does not describe its files as they lie');
}
