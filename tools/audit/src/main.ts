import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareVenues, type Verdict } from './compare.ts';
import { readDatabase } from './database.ts';
import { readFrames } from './frames/frames.ts';
import { readLake } from './lake.ts';
import { runPipeline, type RunSummary } from './pipeline-run.ts';
import { frameFaults, runFaults } from './run-check.ts';

const { values } = parseArgs({
  options: {
    frames: { type: 'string' },
    'data-dir': { type: 'string' },
    'database-url': { type: 'string' },
    'lake-dir': { type: 'string' },
  },
});
if (values.frames === undefined || (values['database-url'] === undefined) !== (values['lake-dir'] === undefined)) {
  process.stderr.write('usage: npm run audit -- --frames FILE [--data-dir DIR | --database-url URL --lake-dir DIR]\n');
  process.exit(2);
}
const base = process.env['INIT_CWD'] ?? process.cwd();
const framesPath = resolve(base, values.frames);

interface Audit {
  readonly verdicts: readonly Verdict[];
  /** Of the frames, and of the run itself where the product did not run before. */
  readonly faults: readonly string[];
}

const outcome =
  values['database-url'] !== undefined && values['lake-dir'] !== undefined
    ? await audit(values['database-url'], values['lake-dir'])
    : await runAndAudit();
process.exitCode = report(outcome);

async function runAndAudit(): Promise<Audit> {
  const own = values['data-dir'] === undefined;
  const dataDir = own ? await mkdtemp(join(tmpdir(), 'aipx-audit-')) : resolve(base, values['data-dir'] ?? '');
  const run = await runPipeline(framesPath, dataDir);
  try {
    return await audit(run.databaseUrl, run.lakeDir, run.summary);
  } finally {
    await run.stop();
    if (own) await rm(dataDir, { recursive: true, force: true });
  }
}

async function audit(databaseUrl: string, lakeDir: string, summary?: RunSummary): Promise<Audit> {
  const frames = await readFrames(framesPath);
  console.log(`frames: ${frames.unreadable} unreadable`);
  for (const [venue, { ticks, books }] of frames.venues) {
    console.log(`${venue}: ${ticks.length} trades, ${books.length} books`);
  }
  const verdicts = [
    ...compareVenues('database', frames.venues, await readDatabase(databaseUrl), false),
    ...compareVenues('lake', frames.venues, await readLake(lakeDir), true),
  ];
  const ofRun = summary === undefined ? [] : runFaults(frames.unreadable, summary);
  return { verdicts, faults: [...frameFaults(frames), ...ofRun] };
}

function report({ verdicts, faults: ofRun }: Audit): number {
  for (const finding of [...ofRun, ...verdicts.flatMap(({ findings }) => findings)]) console.log(finding);
  console.table(verdicts, ['store', 'ticks', 'books', 'missing', 'extra', 'different']);
  const stored = verdicts.reduce((sum, verdict) => sum + verdict.missing + verdict.extra + verdict.different, 0);
  const faults = ofRun.length + stored;
  console.log(faults === 0 ? 'every trade and book is stored once, every number is equal' : `${faults} differences`);
  return faults === 0 ? 0 : 1;
}
