import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onStopSignals } from '@aipx/service';
import { kafkaUnavailable } from '@aipx/stack';
import { thisMachine } from '../figures.ts';
import { SimulatedInput } from '../input.ts';
import type { Bench } from '../measure.ts';
import { measureCold } from './cold.ts';
import { lossesOf, measureFlat } from './flat.ts';
import { measureHot } from './hot.ts';
import { readOptions, USAGE, type Options, type Part } from './options.ts';
import { reportText, type RecorderReport } from './report.ts';

const BOOKS_A_TRADE = 1 / 5;

const options = optionsOrUsage();
const missing = options?.parts.includes('flat') === true ? kafkaUnavailable() : undefined;
if (options === undefined) {
  process.exitCode = 2;
} else if (missing !== undefined) {
  process.stderr.write(`nothing was measured: ${missing}\n`);
  process.exitCode = 1;
} else {
  const { stop } = onStopSignals();
  try {
    await run(options, stop);
  } catch (cause) {
    if (!stop.aborted) throw cause;
    process.exitCode = 130;
  }
}

/** Says what is wrong, and what there is. */
function optionsOrUsage(): Options | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n${USAGE}`);
    return undefined;
  }
}

type Measured = Pick<RecorderReport, 'figures' | 'copyProgram' | 'flat'>;

async function run(options: Options, signal: AbortSignal): Promise<void> {
  const { rows, rounds, quick, out } = options;
  let report: RecorderReport = {
    measuredAt: new Date().toISOString(),
    quick,
    machine: thisMachine(),
    rows,
    rounds,
    figures: [],
  };
  for (const part of options.parts) {
    process.stderr.write(`measuring ${part}\n`);
    const { figures, ...others } = await measureInFolder(part, options, signal);
    report = { ...report, ...others, figures: [...report.figures, ...figures] };
  }
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(reportText(report));
  if (report.flat !== undefined && lossesOf(report.flat).length > 0) process.exitCode = 1;
}

/** Each part has an input that begins anew, and a folder that is gone afterwards, Ctrl-C included. */
async function measureInFolder(part: Part, options: Options, signal: AbortSignal): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), `aipx-bench-recorder-${part}-`));
  try {
    return await measure(part, options, folder, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(part: Part, options: Options, folder: string, signal: AbortSignal): Promise<Measured> {
  const { rows, rounds } = options;
  const records = { tick: rows, orderbook: Math.ceil(rows * BOOKS_A_TRADE) };
  const bench: Bench = { input: new SimulatedInput(), effort: { rounds, turns: 1, records }, folder, signal };
  switch (part) {
    case 'hot':
      return await measureHot(bench);
    case 'cold':
      return { figures: await measureCold(bench) };
    case 'flat':
      return { figures: [], flat: await measureFlat(options, folder, signal) };
  }
}
