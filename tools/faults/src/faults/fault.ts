import type { Chance } from '../chance.ts';
import type { Stage } from '../stage.ts';

export interface FaultContext {
  readonly stage: Stage;
  readonly chance: Chance;
  /** Tells what was chosen. */
  readonly say: (text: string) => void;
}

/**
 * Makes a fault and mends it: afterwards everything runs again.
 *
 * @returns `false` when it could not come about, as when the recorders never gave the occasion
 */
export type Fault = (context: FaultContext) => Promise<boolean>;
