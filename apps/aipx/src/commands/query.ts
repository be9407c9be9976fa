import {
  BAR_INTERVALS,
  barsSql,
  booksSql,
  createLakeViews,
  DuckDb,
  ticksSql,
  type AskedSql,
  type Question,
  type SqlTable,
} from '@aipx/inspection';
import type { EventKind, EventTimes } from '@aipx/lake';
import { HotReader } from '@aipx/timescale';
import { formatted, FORMATS } from '../output/rows.js';
import { partsOf, type Parts } from '../parts.js';
import { readSettings } from '../settings.js';
import { choiceOf, countOf, sizeOf, timesOf } from '../values.js';
import type { CommandContext, CommonFlags } from './context.js';

export interface QueryFlags extends CommonFlags {
  readonly dataDir?: string;
  readonly source: string;
  readonly format: string;
  readonly maxFetch: string;
  readonly from?: string;
  readonly to?: string;
}

export interface QuestionFlags extends QueryFlags {
  readonly symbol: string;
  readonly exchange?: string;
  readonly limit: string;
}

export interface BarsFlags extends QuestionFlags {
  readonly interval: string;
}

const SOURCES = ['lake', 'database'] as const;
const KINDS: readonly EventKind[] = ['tick', 'orderbook', 'gap'];
/** In a table they would fill the screen. */
const WIDE = new Set(['bids', 'asks']);

export async function ticksCommand(flags: QuestionFlags, context: CommandContext): Promise<number> {
  return await ask(flags, ticksSql(questionOf(flags)), context);
}

export async function booksCommand(flags: QuestionFlags, context: CommandContext): Promise<number> {
  return await ask(flags, booksSql(questionOf(flags)), context);
}

export async function barsCommand(flags: BarsFlags, context: CommandContext): Promise<number> {
  return await ask(flags, barsSql(questionOf(flags), choiceOf('--interval', flags.interval, BAR_INTERVALS)), context);
}

/** SQL as it was typed: DuckDB's on the lake, PostgreSQL's on the database. */
export async function sqlCommand(sql: string, flags: QueryFlags, context: CommandContext): Promise<number> {
  const kinds = KINDS.filter((kind) => new RegExp(`\\b${kind}\\b`, 'i').test(sql));
  const rows = await read(flags, { kinds, lake: sql, database: sql }, context);
  context.out(formatted(rows, choiceOf('--format', flags.format, FORMATS)));
  return 0;
}

async function ask(flags: QuestionFlags, asked: AskedSql, context: CommandContext): Promise<number> {
  const format = choiceOf('--format', flags.format, FORMATS);
  const rows = await read(flags, { ...asked, kinds: [asked.kind] }, context);
  context.out(formatted(format === 'table' ? narrow(rows) : rows, format));
  if (String(rows.rows.length) === flags.limit)
    context.note(`only the first ${flags.limit} rows; --limit takes more\n`);
  return 0;
}

async function read(
  flags: QueryFlags,
  { kinds, lake, database }: { readonly kinds: readonly EventKind[]; readonly lake: string; readonly database: string },
  { note, signal }: CommandContext,
): Promise<SqlTable> {
  const source = choiceOf('--source', flags.source, SOURCES);
  const times = timesOf(flags);
  const maxFetchBytes = sizeOf('--max-fetch', flags.maxFetch);
  await using closing = new AsyncDisposableStack();
  const parts = partsOf(await readSettings(flags.config, note), flags.dataDir, closing, signal);
  if (source === 'lake') {
    const { table, empty } = await readLake(parts, lake, { kinds, times, maxFetchBytes }, signal);
    if (empty.length > 0) note(emptyNote(empty, flags));
    return table;
  }
  await using reader = await HotReader.open(await parts.database(), signal);
  return await reader.query(database);
}

async function readLake(
  parts: Parts,
  sql: string,
  options: { readonly kinds: readonly EventKind[]; readonly times: EventTimes; readonly maxFetchBytes: number },
  signal: AbortSignal,
): Promise<{ readonly table: SqlTable; readonly empty: readonly EventKind[] }> {
  await using duckdb = await DuckDb.open(signal);
  const empty = await createLakeViews({ lake: await parts.lake(), duckdb, ...options });
  return { table: await duckdb.table(sql), empty };
}

/** Nothing stored and not stored yet look alike in the lake: only whoever runs the recording knows. */
function emptyNote(kinds: readonly EventKind[], { dataDir, from, to }: QueryFlags): string {
  const when = from === undefined && to === undefined ? '' : ' of these hours';
  const elsewhere =
    dataDir === undefined
      ? 'A recorder writes them when a batch is full, after S3_BATCH_TIMEOUT_SEC and when it ends; --source database has its rows sooner'
      : 'A run writes them when a batch is full and when it ends; until then its rows are in its database, whose address it prints when it starts';
  return `the lake has no files of ${kinds.join(', ')}${when}. ${elsewhere}\n`;
}

function questionOf(flags: QuestionFlags): Question {
  return {
    ...timesOf(flags),
    symbol: flags.symbol,
    ...(flags.exchange !== undefined && { exchange: flags.exchange }),
    limit: countOf('--limit', flags.limit, 1),
  };
}

function narrow({ columns, rows }: SqlTable): SqlTable {
  const kept = columns.map((name, at) => (WIDE.has(name) ? -1 : at)).filter((at) => at >= 0);
  return {
    columns: kept.map((at) => columns[at] ?? ''),
    rows: rows.map((row) => kept.map((at) => row[at] ?? null)),
  };
}
