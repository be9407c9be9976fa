import { join } from 'node:path';
import type { LogRange } from '../kafka-admin.ts';
import type { Cuts } from '../cuts.ts';
import { placeOf } from '../topics.ts';
import { writeMissingLines, type ColdListing } from './cold-listing.ts';
import { Tables, type Row, type Store } from './tables.ts';

export interface Evidence {
  /** Holds `log.tsv`, `hot.tsv`, `hot-gone.tsv`, and gets `cold-gone.tsv`. */
  readonly folder: string;
  readonly lakeFolder: string;
  readonly ranges: readonly LogRange[];
  /** What the run itself has taken from the log. */
  readonly cuts: Cuts;
  readonly cold: ColdListing;
}

export interface StoreVerdict {
  readonly lost: number;
  readonly doubled: number;
  /** Taken by retention before they were stored, and named as such. */
  readonly cut: number;
  /** Rows of no record of the log, or with other content than it. */
  readonly wrong: number;
}

export interface Verdict {
  /** Records that the log ever had. */
  readonly records: number;
  readonly hot: StoreVerdict;
  readonly cold: StoreVerdict;
  /** Each fault with a few examples. */
  readonly lines: readonly string[];
}

const EXAMPLES = 5;
const STORES = ['hot', 'cold'] as const;

/**
 * Holds both stores against the log, offset by offset. Every offset from 0 to the log's end must stand exactly once in
 * each store, with the content that its header names; or the run has cut it off, and the store says so.
 */
export async function check(evidence: Evidence): Promise<Verdict> {
  const { folder, lakeFolder, ranges, cuts, cold } = evidence;
  const tables = await Tables.open(folder);
  try {
    await tables.readLog(join(folder, 'log.tsv'));
    await tables.readRows('hot', join(folder, 'hot.tsv'));
    await tables.readGone('hot', join(folder, 'hot-gone.tsv'));
    await tables.readFiles(lakeFolder, cold.files);
    await writeMissingLines(cold.entries, join(folder, 'cold-gone.tsv'));
    await tables.readGone('cold', join(folder, 'cold-gone.tsv'));
    await createExpected(tables, ranges, cuts);
    const lines = [...cold.faults, ...(await wrongSums(tables, cold)), ...(await wrongLog(tables))];
    const verdicts = { hot: await judge(tables, 'hot', lines), cold: await judge(tables, 'cold', lines) };
    lines.push(...(await differing(tables)));
    return { records: ranges.reduce((sum, { end }) => sum + end, 0), ...verdicts, lines };
  } finally {
    tables.close();
  }
}

/** `expected(topic, part, off, is_cut)`: every offset that the log ever gave out. */
async function createExpected(tables: Tables, ranges: readonly LogRange[], cuts: Cuts): Promise<void> {
  const values = ranges.map(({ topic, partition, end }) => {
    return `('${topic}', ${partition}, ${end}, ${cuts.before(topic, partition)})`;
  });
  await tables.query(`CREATE TABLE expected AS
    SELECT topic, part, off, off < cut_before AS is_cut FROM (
      SELECT topic, part, unnest(range(behind)) AS off, cut_before
      FROM (VALUES ${values.join(', ')}) AS ranges (topic, part, behind, cut_before))`);
}

async function judge(tables: Tables, store: Store, lines: string[]): Promise<StoreVerdict> {
  const [rows, gone] = [`${store}_rows`, `${store}_gone`];
  const absent = `FROM expected ANTI JOIN ${rows} USING (topic, part, off)`;
  const lost = `SELECT topic, part, off FROM (SELECT * ${absent}) e LEFT JOIN (SELECT DISTINCT *, true AS is_gone FROM ${gone}) g
    USING (topic, part, off) WHERE NOT (is_cut AND coalesce(is_gone, false))`;
  const twice = `SELECT topic, part, off, count(*) - 1 AS more FROM (
      SELECT topic, part, off FROM ${rows} UNION ALL SELECT topic, part, off FROM ${gone}
    ) GROUP BY ALL HAVING count(*) > 1`;
  const foreign = `SELECT topic, part, off FROM ${rows} ANTI JOIN expected USING (topic, part, off)`;
  const other = `SELECT topic, part, off FROM ${rows} stored JOIN log USING (topic, part, off) WHERE stored.print IS DISTINCT FROM log.print`;
  const verdict = {
    lost: await count(tables, lost),
    doubled: await count(tables, twice, 'more'),
    cut: (await count(tables, `SELECT 1 ${absent}`)) - (await count(tables, lost)),
    wrong: (await count(tables, foreign)) + (await count(tables, other)),
  };
  for (const [what, query] of Object.entries({
    lost,
    doubled: twice,
    'not in the log': foreign,
    'other content': other,
  })) {
    const examples = await tables.query(`FROM (${query}) ORDER BY topic, part, off LIMIT ${EXAMPLES}`);
    if (examples.length > 0) lines.push(`${store}: ${what}: ${examples.map(positionOf).join(', ')}`);
  }
  return verdict;
}

/** Of what is cut off only the other store can tell the content. */
async function differing(tables: Tables): Promise<readonly string[]> {
  const rows = await tables.query(`SELECT topic, part, off FROM hot_rows h JOIN cold_rows c USING (topic, part, off)
    WHERE h.print IS DISTINCT FROM c.print ORDER BY ALL LIMIT ${EXAMPLES}`);
  return rows.length === 0 ? [] : [`hot and cold differ: ${rows.map(positionOf).join(', ')}`];
}

/** The log itself must be what the check takes it for: dense, from its begin to its end. */
async function wrongLog(tables: Tables): Promise<readonly string[]> {
  const absent = `SELECT topic, part, off FROM expected ANTI JOIN log USING (topic, part, off) WHERE NOT is_cut`;
  const missing = await count(tables, absent);
  const repeated = await count(tables, 'SELECT 1 FROM log GROUP BY topic, part, off HAVING count(*) > 1');
  const nameless = await count(tables, "SELECT 1 FROM log WHERE print = ''");
  return missing + repeated + nameless === 0
    ? []
    : [`the log was not read whole: ${missing} offsets missing, ${repeated} twice, ${nameless} without a print`];
}

async function wrongSums(tables: Tables, { entries }: ColdListing): Promise<readonly string[]> {
  const counted = new Map(
    (await tables.query('SELECT file, count(*) AS n FROM cold_rows GROUP BY file')).map((row) => {
      return [String(row['file']), Number(row['n'])];
    }),
  );
  return entries
    .flatMap(({ files }) => files)
    .filter(({ name, rows }) => (counted.get(name) ?? 0) !== rows)
    .map(({ name, rows }) => `${name} has ${counted.get(name) ?? 0} rows; its manifest entry says ${rows}`);
}

async function count(tables: Tables, query: string, column?: string): Promise<number> {
  const [row] = await tables.query(
    `SELECT ${column === undefined ? 'count(*)' : `coalesce(sum(${column}), 0)`} AS n FROM (${query})`,
  );
  return Number(row?.['n']);
}

function positionOf(row: Row): string {
  return `${placeOf(String(row['topic']), Number(row['part']))}/${String(row['off'])}`;
}

/** Lost and doubled rows of both stores together. */
export function sumOf(verdict: Verdict): { readonly lost: number; readonly doubled: number; readonly wrong: number } {
  const add = (field: keyof StoreVerdict) => STORES.reduce((sum, store) => sum + verdict[store][field], 0);
  return { lost: add('lost'), doubled: add('doubled'), wrong: add('wrong') };
}
