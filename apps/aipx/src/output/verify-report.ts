import type { Counts, Finding, PartitionScope, Progress, VerifyResult } from '@aipx/inspection';
import { toIsoText } from '@aipx/market-model';
import { table } from './rows.js';

export interface VerifyReport {
  finding(finding: Finding): void;
  progress(progress: Progress): void;
  end(result: VerifyResult, seconds: number): void;
}

const LISTED = 20;
const PROGRESS_MS = 2_000;

/** For people: findings as they come, a bounded list of them, then the table and the verdict. */
export function textReport(
  write: (text: string) => void,
  note: (text: string) => void,
  isListingAll: boolean,
): VerifyReport {
  let found = 0;
  return {
    finding: (finding) => {
      found += 1;
      if (isListingAll || found <= LISTED) write(`${findingText(finding)}\n`);
    },
    progress: progressNotes(note),
    end: (result, seconds) => {
      if (!isListingAll && found > LISTED) write(`… and ${found - LISTED} more (--all lists them)\n`);
      write(`${found > 0 ? '\n' : ''}${hoursTable(result)}\n`);
      for (const line of openEnds(result.scopes)) write(`${line}\n`);
      const { log, database, lake } = result.total;
      const rate = Math.round((log + database + lake) / seconds);
      write(
        `compared ${number(log)} records with ${number(database)} rows of the database and ${number(lake)} of the lake in ${seconds.toFixed(1)} s, ${number(rate)} rows/s\n`,
      );
      write(`${verdict(result)}\n`);
    },
  };
}

/** For programs: an object a line, `finding` as they come and `summary` at the end. */
export function jsonReport(write: (text: string) => void, note: (text: string) => void): VerifyReport {
  const line = (value: object) => {
    write(`${JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? field.toString() : field))}\n`);
  };
  return {
    finding: ({ partition, time, ...finding }) => {
      line({ event: 'finding', ...finding, ...partition, ...(time !== undefined && { time: toIsoText(time) }) });
    },
    progress: progressNotes(note),
    end: ({ hours, total, scopes, findings }, seconds) => {
      const partitions = scopes.map(({ partition, log, database, lake, compared }) => ({
        ...partition,
        log,
        database,
        lake,
        compared,
      }));
      line({ event: 'summary', ok: findings === 0, findings, ...total, seconds, hours, partitions });
    },
  };
}

/** `2 lost, 0 doubled, 1 different, 0 conflicts`. */
export function verdict({ total, findings }: VerifyResult): string {
  const { lost, doubled, different, conflicts } = total;
  const damaged = findings > 0 && lost + doubled + different + conflicts === 0 ? ', damaged files' : '';
  return `${number(lost)} lost, ${number(doubled)} doubled, ${number(different)} different, ${number(conflicts)} conflicts${damaged}`;
}

function findingText({ kind, store, partition, offset, exchange, symbol, time, file, says }: Finding): string {
  const place = partition && `${partition.topic}/${partition.partition}${offset === undefined ? '' : `/${offset}`}`;
  const market = symbol === undefined || symbol === '' ? undefined : `${exchange} ${symbol}`;
  const at = time === undefined ? undefined : toIsoText(time);
  const where = [place, market, at, file].filter((each) => each !== undefined).join(' ');
  return `${kind.toUpperCase()} ${store}: ${where}: ${says}`;
}

const COLUMNS: readonly (readonly [title: string, name: keyof Counts])[] = [
  ['log', 'log'],
  ['database', 'database'],
  ['lake', 'lake'],
  ['dlq', 'deadLetters'],
  ['lost', 'lost'],
  ['doubled', 'doubled'],
  ['different', 'different'],
  ['conflicts', 'conflicts'],
  ['repeated', 'venueDuplicates'],
  ['gaps', 'gaps'],
  ['removed', 'removed'],
];

function hoursTable({ hours, total }: VerifyResult): string {
  const counts = (each: Counts) => COLUMNS.map(([, name]) => number(each[name]));
  return table(
    ['topic', 'hour (UTC)', ...COLUMNS.map(([title]) => title)],
    [
      ...hours.map((each) => [each.topic, each.hour === undefined ? 'unknown' : `${each.hour}:00`, ...counts(each)]),
      ['total', '', ...counts(total)],
    ],
  );
}

/** What is in the log and not stored yet; nothing is said of it. */
function openEnds(scopes: readonly PartitionScope[]): readonly string[] {
  return scopes.flatMap(({ partition, log, database = log.end, lake = log.end }) => {
    const stored = database < lake ? database : lake;
    if (stored >= log.end) return [];
    const place = `${partition.topic}/${partition.partition}`;
    return [
      `not compared yet: ${place} from offset ${stored} to ${log.end - 1n} (database at ${database}, lake at ${lake})`,
    ];
  });
}

function progressNotes(note: (text: string) => void): VerifyReport['progress'] {
  const startedAt = performance.now();
  let noteAt = startedAt + PROGRESS_MS;
  return ({ topic, partition, done, total }) => {
    const now = performance.now();
    if (now < noteAt) return;
    noteAt = now + PROGRESS_MS;
    const percent = total === 0n ? 100 : Number((done * 100n) / total);
    const rate = Math.round((Number(done) * 1000) / (now - startedAt));
    note(
      `${percent} % ${topic}/${partition}: ${number(Number(done))} of ${number(Number(total))} offsets, ${number(rate)}/s\n`,
    );
  };
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
