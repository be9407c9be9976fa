import { kafkaUnavailable } from '@aipx/stack';
import { thisMachine } from '../figures.ts';
import { SimulatedInput } from '../input.ts';
import type { Bench } from '../measure.ts';
import { inFolder, publish, runProgram, tell } from '../program.ts';
import { measureCold } from './cold.ts';
import { lossesOf, measureFlat } from './flat.ts';
import { measureHot } from './hot.ts';
import { readOptions, USAGE, type Options, type Part } from './options.ts';
import { reportText, type RecorderReport } from './report.ts';

const BOOKS_A_TRADE = 1 / 5;

await runProgram({
  read: readOptions,
  usage: USAGE,
  missing: ({ parts }) => (parts.includes('flat') ? kafkaUnavailable() : undefined),
  run,
});

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
    tell(`measuring ${part}`);
    const { figures, ...others } = await inFolder(`recorder-${part}`, (folder) =>
      measure(part, options, folder, signal),
    );
    report = { ...report, ...others, figures: [...report.figures, ...figures] };
  }
  await publish(report, out, reportText(report));
  if (report.flat !== undefined && lossesOf(report.flat).length > 0) process.exitCode = 1;
}

/** Each part has an input that begins anew. */
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
