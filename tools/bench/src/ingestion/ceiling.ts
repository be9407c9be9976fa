import { measureLoad, type LoadMeasurement, type Setting } from './load.ts';

/** One rate that was tried. */
export interface Step {
  readonly rate: number;
  readonly measured: LoadMeasurement;
  /** Why it does not hold; `undefined` where it does. */
  readonly fails: string | undefined;
}

const LEAST_SHARE = 0.98;

/** Tries one rate after the other, ascending, each with a new service, and ends with the first that does not hold. */
export async function climb(
  setting: Setting,
  rates: readonly number[],
  times: { readonly warmUpMs: number; readonly forMs: number },
  onStep: (step: Step) => void,
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const rate of rates) {
    const measured = await measureLoad(setting, { rate, ...times });
    await setting.broker.clear();
    const step = { rate, measured, fails: failureOf(rate, measured) };
    steps.push(step);
    onStep(step);
    if (step.fails !== undefined) break;
  }
  return steps;
}

function failureOf(rate: number, { heldRate, measured }: LoadMeasurement): string | undefined {
  if (measured.dropped > 0) return `${measured.dropped} messages were dropped`;
  if (measured.conflated > 0) return `${measured.conflated} books were conflated`;
  // Who reads too slowly slows the sender; a machine without a core left slows it too.
  if (heldRate < rate * LEAST_SHARE) return `the venue could send only ${Math.round(heldRate)} messages/s`;
  return undefined;
}
