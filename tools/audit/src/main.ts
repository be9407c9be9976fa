import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compareVenues, type Verdict } from './compare.ts';
import { readDatabase } from './database.ts';
import { readFrames } from './frames/frames.ts';
import { readLake } from './lake.ts';
import { readOptions, USAGE } from './options.ts';
import { runPipeline, type RunSummary } from './pipeline-run.ts';
import { frameFaults, runFaults } from './run-check.ts';

const options = readOptions(process.argv.slice(2));
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const { dataDir: givenDir, stores } = options;
const base = process.env['INIT_CWD'] ?? process.cwd();
const framesPath = resolve(base, options.frames);

interface Audit {
  readonly verdicts: readonly Verdict[];
  /** Of the frames, and of the run itself where the product did not run before. */
  readonly faults: readonly string[];
}

const outcome = stores === undefined ? await runAndAudit() : await audit(stores.databaseUrl, stores.lakeDir);
process.exitCode = report(outcome);

async function runAndAudit(): Promise<Audit> {
  const own = givenDir === undefined;
  const dataDir = own ? await mkdtemp(join(tmpdir(), 'aipx-audit-')) : resolve(base, givenDir);
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
