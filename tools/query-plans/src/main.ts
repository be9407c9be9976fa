import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { onStopSignals } from '@aipx/service';
import { catchUp, fill } from './fill.ts';
import { measureQueries, report, type Measured } from './measure.ts';
import { plainStore, timescaleStore, type Store } from './store.ts';

const USAGE = 'usage: npm run query-plans -- [--rows N] [--only plain|timescale]\n';
const ROWS = 10_000_000;

const STORES: Readonly<Record<string, (folder: string, signal: AbortSignal) => Promise<Store>>> = {
  plain: plainStore,
  timescale: timescaleStore,
};

const options = readOptions();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const { stop } = onStopSignals();
  try {
    const measured: Measured[] = [];
    for (const name of options.stores) measured.push(...(await measure(name, options.rows, stop)));
    console.log(report(measured));
  } catch (cause) {
    if (!stop.aborted) throw cause;
    process.exitCode = 130;
  }
}

function readOptions(): { readonly rows: number; readonly stores: readonly string[] } | undefined {
  try {
    const { values } = parseArgs({ options: { rows: { type: 'string' }, only: { type: 'string' } } });
    const rows = Number(values.rows ?? ROWS);
    const stores = values.only === undefined ? Object.keys(STORES) : [values.only];
    const isKnown = stores.every((name) => name in STORES);
    return isKnown && Number.isSafeInteger(rows) && rows > 0 ? { rows, stores } : undefined;
  } catch {
    return undefined;
  }
}

/** In a folder that is gone afterwards, Ctrl-C included. */
async function measure(name: string, rows: number, signal: AbortSignal): Promise<readonly Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), `aipx-query-plans-${name}-`));
  try {
    const store = await STORES[name]?.(join(folder, 'database'), signal);
    if (store === undefined) return [];
    try {
      const filled = await fill(store, rows, signal);
      await store.settle();
      await catchUp(store, filled);
      return await measureQueries(store);
    } finally {
      await store.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
