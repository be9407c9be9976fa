import type { Behaviour } from './behaviour.js';
import type { SimulatedClock } from './clock.js';
import type { HaltSpan } from './halts.js';
import type { Keys } from './keys.js';
import type { Hours } from './phases.js';
import type { Sessions } from './sessions.js';
import type { KisSimulatorSettings } from './settings.js';

/** What the parts of one simulated venue share. */
export interface Exchange {
  readonly settings: KisSimulatorSettings;
  readonly clock: SimulatedClock;
  readonly hours: Hours;
  readonly behaviour: Behaviour;
  readonly keys: Keys;
  readonly sessions: Sessions;
  /** The halts of an issue. */
  readonly haltsOf: (code: string) => readonly HaltSpan[];
}
