import { Chance } from './chance.ts';
import { FAULT_NAMES, type FaultName } from './faults/index.ts';
import type { Options } from './options.ts';
import { PHASES, type Phase } from './phases.ts';

/** What a run does, one step after the other. */
export type Step =
  | { readonly does: 'kill'; readonly phase: Phase }
  | { readonly does: 'fault'; readonly name: FaultName }
  | { readonly does: 'check' };

const KILLS_BETWEEN_CHECKS = 20;
/** In a long run. */
const KILLS_A_FAULT = 2;

/** Follows from the seed alone: phases and faults in shuffled rounds, faults spread evenly among the kills. */
export function scheduleOf({ seed, kills, isShort }: Options): readonly Step[] {
  const chance = new Chance(seed, 'schedule');
  const phases = chance.rounds(PHASES, kills);
  const least = isShort ? FAULT_NAMES.length / 2 : FAULT_NAMES.length;
  const faults = chance.rounds(FAULT_NAMES, Math.max(least, Math.round(kills / KILLS_A_FAULT)));
  return phases.flatMap((phase, index): Step[] => {
    const own = faults.slice(
      Math.round((index * faults.length) / kills),
      Math.round(((index + 1) * faults.length) / kills),
    );
    const done = index + 1;
    const isCheck = done === kills || done % KILLS_BETWEEN_CHECKS === 0;
    return [
      ...own.map((name): Step => ({ does: 'fault', name })),
      { does: 'kill', phase },
      ...(isCheck ? [{ does: 'check' } as const] : []),
    ];
  });
}
