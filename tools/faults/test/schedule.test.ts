import { describe, expect, it } from 'vitest';
import { FAULT_NAMES } from '../src/faults/index.ts';
import { readOptions } from '../src/options.ts';
import { PHASES } from '../src/phases.ts';
import { scheduleOf, type Step } from '../src/schedule.ts';

function scheduled(...args: readonly string[]): readonly Step[] {
  const options = readOptions(args);
  if (options === undefined) throw new Error('wrong usage');
  return scheduleOf(options);
}

const phasesOf = (steps: readonly Step[]) => steps.flatMap((step) => (step.does === 'kill' ? [step.phase] : []));
const faultsOf = (steps: readonly Step[]) => steps.flatMap((step) => (step.does === 'fault' ? [step.name] : []));

describe('a schedule', () => {
  it('kills in each phase and makes each fault once by default', () => {
    const steps = scheduled();
    expect(phasesOf(steps).sort()).toEqual([...PHASES].sort());
    expect(faultsOf(steps).sort()).toEqual([...FAULT_NAMES].sort());
    expect(steps.at(-1)).toEqual({ does: 'check' });
  });

  it('kills 25 times in each phase in a long run, and checks after every twenty kills', () => {
    const steps = scheduled('--kills', '200');
    for (const phase of PHASES) expect(phasesOf(steps).filter((one) => one === phase)).toHaveLength(25);
    expect(steps.filter(({ does }) => does === 'check')).toHaveLength(10);
    for (const name of FAULT_NAMES) expect(faultsOf(steps).filter((one) => one === name).length).toBeGreaterThan(7);
  });

  it('is the same for the same seed, and another for another', () => {
    expect(scheduled('--seed', '7')).toEqual(scheduled('--seed', '7'));
    expect(scheduled('--seed', '7')).not.toEqual(scheduled('--seed', '8'));
  });

  it('has half of the faults in short', () => {
    expect(faultsOf(scheduled('--short'))).toHaveLength(FAULT_NAMES.length / 2);
  });

  it.each([['--kills', '0'], ['--kills', 'x'], ['--seed', '1.5'], ['--unknown']])('refuses %s %s', (...args) => {
    expect(readOptions(args)).toBeUndefined();
  });
});
