import { QUERIES, type Query } from './queries.ts';
import type { Store } from './store.ts';

const WARM_UP = 3;
const RUNS = 20;

/** How long a query takes on a store, in ms, from its text to its last row; and the plan of another run, with its own time. */
export interface Measured {
  readonly store: string;
  readonly query: Query;
  readonly rows: number;
  readonly medianMs: number;
  readonly worstMs: number;
  readonly plan: string;
  readonly planMs: number;
}

export async function measureQueries(store: Store): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const query of QUERIES) {
    for (let run = 0; run < WARM_UP; run += 1) await store.sql(query.text);
    const times: number[] = [];
    let rows = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const begin = performance.now();
      rows = (await store.sql(query.text)).length;
      times.push(performance.now() - begin);
    }
    times.sort((a, b) => a - b);
    const lines = await store.sql(`EXPLAIN (ANALYZE, BUFFERS) ${query.text}`);
    const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
    measured.push({
      store: store.title,
      query,
      rows,
      medianMs: times[RUNS >> 1] ?? NaN,
      worstMs: times.at(-1) ?? NaN,
      plan,
      planMs: Number(/Execution Time: ([\d.]+)/.exec(plan)?.[1]),
    });
  }
  return measured;
}

/** A table of all, then the plans: what `docs/queries.md` shows. */
export function report(measured: readonly Measured[]): string {
  const lines = measured.map(
    ({ store, query, rows, planMs, medianMs, worstMs }) =>
      `| ${query.title} | ${store} | ${rows} | ${planMs.toFixed(1)} | ${medianMs.toFixed(1)} | ${worstMs.toFixed(1)} |`,
  );
  const plans = measured.map(
    ({ store, query, plan }) => `### ${query.title}, ${store}\n\n\`\`\`text\n${plan}\n\`\`\`\n`,
  );
  return [
    '| query | on | rows | execution, ms | median, ms | worst, ms |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
    ...plans,
  ].join('\n');
}
