import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaUnavailable } from '@aipx/stack';
import { thisMachine } from '../figures.ts';
import { inFolder, publish, runProgram, tell } from '../program.ts';
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

await runProgram({ read: readOptions, usage: USAGE, missing: kafkaUnavailable, run });

async function run(options: Options, signal: AbortSignal): Promise<void> {
  const { nodeFlags, seconds, quick, out } = options;
  const head = { measuredAt: new Date().toISOString(), quick, machine: thisMachine(), nodeFlags, seconds };
  await inFolder('ingestion', async (folder) => {
    tell('starting a broker');
    await using broker = await Broker.start(folder, signal);
    const measured = await measure({ broker, folder, nodeFlags, signal }, options);
    const report: IngestionReport = { ...head, ...measured };
    await publish(report, out, reportText(report));
  });
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
