import { MarketDataError } from '@aipx/market-model';
import type { HourFile } from '../parquet/encode-batch.js';
import { countOf, edgesOf } from './offset-ranges.js';
import type { Plan, PlannedHour } from './plan.js';

/**
 * Checks that the files made for a plan are what its maker meant. A version that decodes less, or finds another hour,
 * would leave rows out that the log still has, and the entry would call them missing for ever.
 *
 * @param held offsets of the batch that the log still has
 * @throws {MarketDataError} `STORE_REFUSED`
 */
export function expectSameReading(plan: Plan, held: readonly bigint[], files: readonly HourFile[]): void {
  const expected = held.filter((offset) => !plan.undecodable.some(({ begin, end }) => begin <= offset && offset < end));
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  if (rows !== expected.length)
    throw otherReading(plan, `${rows} of the ${expected.length} rows that the log still has`);
  const whole = BigInt(held.length) + countOf(plan.unused) === plan.end - plan.begin;
  for (const planned of plan.hours) {
    const made = files.find(({ hour }) => hour === planned.hour);
    const rest = made === undefined ? 'other' : restOfPlanned(planned, made);
    if (rest === 'all' || (rest === 'some' && !whole)) continue;
    throw otherReading(plan, `${made?.rows ?? 0} rows of hour ${planned.hour}, not ${planned.rows}`);
  }
}

/** What a file has of its hour's planned rows. Some only, when retention was faster than its writer. */
export function restOfPlanned(
  planned: PlannedHour,
  { rows, offsets }: Pick<HourFile, 'rows' | 'offsets'>,
): 'all' | 'some' | 'other' {
  const [first, last] = edgesOf(offsets);
  if (rows === planned.rows) return first === planned.first && last === planned.last ? 'all' : 'other';
  const within = first === null || last === null || (first >= planned.first && last <= planned.last);
  return within && rows < planned.rows ? 'some' : 'other';
}

function otherReading({ begin, end, partition: { topic, partition } }: Plan, found: string): MarketDataError {
  return new MarketDataError(
    'STORE_REFUSED',
    `the batch of ${topic}/${partition} from offset ${begin} to ${end - 1n} was planned by another version: this one ` +
      `reads ${found}. Nothing was written; let the version that planned it, or a newer one, finish it`,
    { context: { topic, partition } },
  );
}
