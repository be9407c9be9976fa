import type { SimulatedDay } from './clock.js';
import type { Halt } from './halts.js';

/** A customer's key pair. */
export interface Account {
  readonly appkey: string;
  readonly appsecret: string;
}

/** What a test may set about the simulated venue. */
export interface KisSimulatorSettings {
  /** The day to play, and how fast. @default the machine's clock, with trading that never rests */
  readonly day?: SimulatedDay;
  /** The machine's clock, ms since the epoch. @default Date.now */
  readonly wall?: () => number;
  /** The customers. @default anybody with a key and a secret */
  readonly accounts?: readonly Account[];
  /** @default a VI a day for one issue in eight, when a day is played */
  readonly halts?: readonly Halt[];
  /** Fields of a record by transaction, to play older and newer layouts: `{ H0STCNT0: 46 }`. @default those since 2026-09-14 */
  readonly widths?: Readonly<Record<string, number>>;
  /** What stands for a value that the venue does not have: nothing, or `(null)`. @default '' */
  readonly missing?: '' | '(null)';
  /** Whether quotes are encrypted too. @default false */
  readonly encrypted?: boolean;
  /** Share of trade records that are left out, and that are sent twice, 0 to 1. @default 0 */
  readonly lossShare?: number;
  readonly repeatShare?: number;
  /** Registrations that a session may hold. @default 41 */
  readonly registrations?: number;
  /** From a request to its acknowledgement, ms. @default 0 */
  readonly acknowledgeAfterMs?: number;
  /** Between two PINGPONG, ms. @default 10000 */
  readonly pingEveryMs?: number;
  /** PINGPONG that a client may leave unanswered, one after the other, before it is dropped. @default any number */
  readonly unansweredPings?: number;
  /** How long an abruptly ended session holds its key, ms. @default 30000 */
  readonly zombieMs?: number;
  /** Whether a new approval key makes the ones before it invalid. @default false; the reports disagree */
  readonly newApprovalRevokesOld?: boolean;
  /** Whole-day closures, YYYYMMDD, besides weekends; those are open where trading never rests, and on the day that is played. @default none */
  readonly holidays?: readonly string[];
}
