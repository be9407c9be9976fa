import type { OffsetRange, TopicPartition } from '@aipx/event-log';
import { isCanonical, countOf } from './offset-ranges.js';
import { StoredJson } from './stored-json.js';

/**
 * What a batch will consist of, written before anything else of it and never changed. Whoever finds one follows it: the
 * first owner to write it has decided the cut. Stored as `{prefix}/_plan/<topic>-<partition>-<begin, 20 digits>.json`.
 */
export interface Plan extends OffsetRange {
  readonly partition: TopicPartition;
  /** Identity of the log that the offsets belong to. */
  readonly logId: string;
  /** The `lastHash` of the batch before; `null` for the first batch. */
  readonly hashBefore: string | null;
  /** `recordHash` of record `end - 1`: the next plan's `hashBefore`. `null` when retention took that record first. */
  readonly lastHash: string | null;
  /** Offsets that hold no event: in no file, but not lost. */
  readonly undecodable: readonly OffsetRange[];
  /** Offsets that hold no record, such as the log's transaction markers: in no file, and nothing is lost. */
  readonly unused: readonly OffsetRange[];
  /** The files to come, one an event hour, ascending. None if nothing could be decoded. */
  readonly hours: readonly PlannedHour[];
}

export interface PlannedHour {
  /** `2024-05-01T13`, UTC, by event time. */
  readonly hour: string;
  readonly rows: number;
  /** First and last offset of the rows; others of the batch may lie between. */
  readonly first: bigint;
  readonly last: bigint;
}

const PLAN_FORMAT = 'aipx.lake.plan/1';

/** The plan as it is stored. Equal plans are equal bytes. */
export function planBytes(plan: Plan): Uint8Array {
  return StoredJson.write({
    format: PLAN_FORMAT,
    topic: plan.partition.topic,
    partition: plan.partition.partition,
    logId: plan.logId,
    begin: plan.begin,
    end: plan.end,
    hashBefore: plan.hashBefore,
    lastHash: plan.lastHash,
    undecodable: plan.undecodable.map(({ begin, end }) => [begin, end]),
    ...(plan.unused.length > 0 && { unused: plan.unused.map(({ begin, end }) => [begin, end] as const) }),
    hours: plan.hours.map(({ hour, rows, first, last }) => ({ hour, rows, first, last })),
  });
}

/**
 * Reads a plan back strictly: every field, its bounds, and that it is spelled the way this version writes it.
 *
 * @param key of the object, for the message
 * @throws {MarketDataError} `STORE_DAMAGED`, naming the object and the field
 */
export function readPlan(key: string, bytes: Uint8Array): Plan {
  const json = StoredJson.read(key, bytes, PLAN_FORMAT);
  const range = { begin: json.offset('begin'), end: json.offset('end') };
  const plan: Plan = {
    ...range,
    partition: { topic: json.text('topic'), partition: json.count('partition') },
    logId: json.text('logId'),
    hashBefore: json.isNull('hashBefore') ? null : json.hash('hashBefore'),
    lastHash: json.isNull('lastHash') ? null : json.hash('lastHash'),
    undecodable: json.ranges('undecodable'),
    unused: json.has('unused') ? json.ranges('unused') : [],
    hours: json.objects('hours').map((hour) => ({
      hour: hour.hour('hour'),
      rows: hour.count('rows'),
      first: hour.offset('first'),
      last: hour.offset('last'),
    })),
  };
  json.expect(range.begin < range.end, 'end', 'an offset behind begin');
  json.expect(range.begin > 0n || plan.hashBefore === null, 'hashBefore', 'null at offset 0');
  json.expect(isCanonical(range, plan.undecodable), 'undecodable', 'ascending ranges within the batch');
  json.expect(isCanonical(range, plan.unused), 'unused', 'ascending ranges within the batch');
  for (const [index, { hour, rows, first, last }] of plan.hours.entries()) {
    const previous = plan.hours[index - 1];
    json.expect(previous === undefined || previous.hour < hour, 'hours', 'ascending hours');
    json.expect(range.begin <= first && last < range.end, 'hours', 'offsets within the batch');
    json.expect(rows > 0 && BigInt(rows) <= last - first + 1n, 'hours', 'as many rows as fit between first and last');
  }
  const rows = plan.hours.reduce((sum, hour) => sum + BigInt(hour.rows), 0n);
  const others = countOf(plan.undecodable) + countOf(plan.unused);
  json.expect(rows + others <= range.end - range.begin, 'hours', 'no more rows than offsets');
  json.expectSpelling(planBytes(plan));
  return plan;
}
