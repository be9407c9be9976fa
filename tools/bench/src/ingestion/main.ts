import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onStopSignals } from '@aipx/service';
import { kafkaUnavailable } from '@aipx/stack';
import { thisMachine } from '../figures.ts';
import { measureBare } from './bare.ts';
import { Broker } from './broker.ts';
import { climb } from './ceiling.ts';
import { measureFlat } from './flat.ts';
import { measureLoad, type Setting } from './load.ts';
import { readOptions, USAGE, type Options } from './options.ts';
import {
  bareFigures,
  minuteLine,
  reportText,
  serviceFigures,
  stepFigure,
  stepLine,
  type IngestionFigure,
  type IngestionReport,
} from './report.ts';

const SECOND_MS = 1_000;

const options = optionsOrUsage();
const missing = kafkaUnavailable();
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

async function run(options: Options, signal: AbortSignal): Promise<void> {
  const { nodeFlags, seconds, quick, out } = options;
  const head = { measuredAt: new Date().toISOString(), quick, machine: thisMachine(), nodeFlags, seconds };
  const folder = await mkdtemp(join(tmpdir(), 'aipx-bench-ingestion-'));
  try {
    tell('starting a broker');
    await using broker = await Broker.start(folder, signal);
    const measured = await measure({ broker, folder, nodeFlags, signal }, options);
    const report: IngestionReport = { ...head, ...measured };
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, `${JSON.stringify(report, undefined, 2)}\n`);
    console.log(reportText(report));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Measured = Pick<IngestionReport, 'figures' | 'steps' | 'highestRateHeld' | 'flat'>;

async function measure(setting: Setting, options: Options): Promise<Measured> {
  if (options.minutes > 0) {
    const rate = Math.max(...options.rates);
    tell(`${rate} messages/s for ${options.minutes} minutes`);
    const flat = await measureFlat(setting, { rate, minutes: options.minutes }, (minute) => tell(minuteLine(minute)));
    return { figures: [], flat: { rate, ...flat } };
  }
  const figures: IngestionFigure[] = [];
  if (options.parts.includes('rates')) {
    for (const rate of options.rates) figures.push(...(await measureRate(setting, rate, options)));
  }
  return { figures, ...(options.parts.includes('ceiling') && (await measureCeiling(setting, options))) };
}

/** The service, then kafkajs alone with the bytes that the service wrote. */
async function measureRate(
  { broker, folder, nodeFlags, signal }: Setting,
  rate: number,
  { seconds, warmUpSeconds }: Options,
): Promise<readonly IngestionFigure[]> {
  const times = { warmUpMs: warmUpSeconds * SECOND_MS, forMs: seconds * SECOND_MS };
  tell(`${rate} messages/s through the service`);
  const service = await measureLoad({ broker, folder, nodeFlags, signal }, { rate, ...times });
  tell(`${rate} messages/s with kafkajs alone`);
  const tape = join(folder, 'tape');
  await broker.tape(tape, signal);
  await broker.createBareTopics();
  const bare = await measureBare({ brokers: broker.addresses, tape, rate, ...times }, nodeFlags, signal);
  await rm(tape);
  await broker.clear();
  return [...serviceFigures(rate, service), ...bareFigures(rate, bare)];
}

async function measureCeiling(
  setting: Setting,
  { steps, stepSeconds, warmUpSeconds }: Options,
): Promise<Pick<Measured, 'steps' | 'highestRateHeld'>> {
  tell('the highest rate that holds');
  const times = { warmUpMs: warmUpSeconds * SECOND_MS, forMs: stepSeconds * SECOND_MS };
  const climbed = await climb(setting, steps, times, (step) => tell(stepLine(stepFigure(step))));
  const held = climbed.filter(({ fails }) => fails === undefined).map(({ rate }) => rate);
  return { steps: climbed.map(stepFigure), highestRateHeld: Math.max(0, ...held) };
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
