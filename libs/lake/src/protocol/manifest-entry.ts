import type { OffsetRange, TopicPartition } from '@aipx/event-log';
import { countOf, isCanonical } from './offset-ranges.js';
import { StoredJson } from './stored-json.js';

/**
 * A finished batch: its files as they lie. Written last, so a plan without its entry is an unfinished batch. Stored as
 * `{prefix}/_manifest/<topic>-<partition>-<begin, 20 digits>.json`.
 */
export interface ManifestEntry extends OffsetRange {
  readonly partition: TopicPartition;
  readonly logId: string;
  /** One for each hour of the plan, ascending. */
  readonly files: readonly ManifestFile[];
  readonly rows: number;
  readonly bytes: number;
  /** Offsets neither readable nor in a file nor undecodable by the plan: retention took them, or the log never had them. */
  readonly missing: readonly OffsetRange[];
}

export interface ManifestFile {
  /** Relative to the prefix, so that a lake can be moved. */
  readonly name: string;
  readonly hour: string;
  /** 0 when retention took all rows of the hour: the empty file keeps a slower owner from adding them after all. */
  readonly rows: number;
  /** `null` without rows. */
  readonly first: bigint | null;
  readonly last: bigint | null;
  readonly bytes: number;
  readonly sha256: string;
}

const ENTRY_FORMAT = 'aipx.lake.entry/1';

/** The entry as it is stored. Equal entries are equal bytes. */
export function entryBytes(entry: ManifestEntry): Uint8Array {
  return StoredJson.write({
    format: ENTRY_FORMAT,
    topic: entry.partition.topic,
    partition: entry.partition.partition,
    logId: entry.logId,
    begin: entry.begin,
    end: entry.end,
    rows: entry.rows,
    bytes: entry.bytes,
    missing: entry.missing.map(({ begin, end }) => [begin, end]),
    files: entry.files.map(({ name, hour, rows, first, last, bytes, sha256 }) => {
      return { name, hour, rows, first, last, bytes, sha256 };
    }),
  });
}

/**
 * Reads an entry back strictly, as `readPlan` does.
 *
 * @throws {MarketDataError} `STORE_DAMAGED`, naming the object and the field
 */
export function readEntry(key: string, bytes: Uint8Array): ManifestEntry {
  const json = StoredJson.read(key, bytes, ENTRY_FORMAT);
  const range = { begin: json.offset('begin'), end: json.offset('end') };
  const entry: ManifestEntry = {
    ...range,
    partition: { topic: json.text('topic'), partition: json.count('partition') },
    logId: json.text('logId'),
    rows: json.count('rows'),
    bytes: json.count('bytes'),
    missing: json.ranges('missing'),
    files: json.objects('files').map((file) => ({
      name: file.text('name'),
      hour: file.hour('hour'),
      rows: file.count('rows'),
      first: file.isNull('first') ? null : file.offset('first'),
      last: file.isNull('last') ? null : file.offset('last'),
      bytes: file.count('bytes'),
      sha256: file.hash('sha256'),
    })),
  };
  const { files, missing } = entry;
  json.expect(range.begin < range.end, 'end', 'an offset behind begin');
  json.expect(isCanonical(range, missing), 'missing', 'ascending ranges within the batch');
  json.expect(entry.rows === sum(files.map(({ rows }) => rows)), 'rows', 'the sum over the files');
  json.expect(entry.bytes === sum(files.map(({ bytes: size }) => size)), 'bytes', 'the sum over the files');
  json.expect(BigInt(entry.rows) + countOf(missing) <= range.end - range.begin, 'rows', 'no more rows than offsets');
  for (const { rows, first, last } of files) {
    json.expect(
      rows > 0 ? first !== null && last !== null : first === null && last === null,
      'files',
      'offsets with rows',
    );
  }
  json.expectSpelling(entryBytes(entry));
  return entry;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
