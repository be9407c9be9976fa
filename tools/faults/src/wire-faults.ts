import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { PASS, type Deed, type Moment } from './moment.ts';
import { CALL_KINDS } from './proxy/s3-call.ts';
import { Tally } from './tally.ts';

const CALL_FAULTS = ['500', '503', 'reset', 'timeout', 'answer lost'] as const;
const DATABASE_FAULTS = [
  'COPY reset',
  'COPY hangs',
  'COMMIT lost',
  'COMMIT hangs',
  'COMMIT answer lost',
  'COMMIT answer hangs',
] as const;

type CallFault = `${(typeof CALL_KINDS)[number]}: ${(typeof CALL_FAULTS)[number]}`;
export type WireFault = CallFault | (typeof DATABASE_FAULTS)[number];

export const WIRE_FAULTS: readonly WireFault[] = [
  ...CALL_KINDS.flatMap((kind) => CALL_FAULTS.map((fault): WireFault => `${kind}: ${fault}`)),
  ...DATABASE_FAULTS,
];

const HANG_MS = 4_000;
/** Calls of uploads in parts, which come in a few seconds of the run: whoever waited for his turn would never come. */
const RARE_CALLS: ReadonlySet<string> = new Set(['part', 'complete']);

/**
 * Faults of single calls, on all wires, one every now and then. Their order is shuffled; of those that fit a moment the
 * first is taken. A hang ends with a reset.
 */
export class WireFaults {
  readonly tally = new Tally(WIRE_FAULTS);
  readonly #chance: Chance;
  readonly #everyMs: number;
  #waiting: WireFault[];
  #notBefore = Infinity;

  constructor(chance: Chance, everyMs: number) {
    this.#chance = chance;
    this.#everyMs = everyMs;
    this.#waiting = chance.shuffled(WIRE_FAULTS);
  }

  /** From now on. */
  begin(): void {
    this.#notBefore = performance.now() + this.#everyMs;
  }

  /** Until the next `begin`. */
  end(): void {
    this.#notBefore = Infinity;
  }

  judge(moment: Moment): Deed {
    const isRare = moment.wire === 's3' && RARE_CALLS.has(moment.call.kind);
    if (this.#notBefore === Infinity || (performance.now() < this.#notBefore && !isRare)) return PASS;
    const fault = this.#waiting.find((one) => effectOf(one, moment) !== undefined);
    const effect = fault === undefined ? undefined : effectOf(fault, moment);
    if (fault === undefined || effect === undefined) return PASS;
    this.#waiting = this.#waiting.filter((one) => one !== fault);
    // Calls that are rare must not keep the others from coming again.
    if (this.#waiting.length < WIRE_FAULTS.length / 2) this.#waiting.push(...this.#absent());
    this.#notBefore = performance.now() + this.#everyMs;
    this.tally.add(fault);
    return deedOf(effect);
  }

  #absent(): WireFault[] {
    return this.#chance.shuffled(WIRE_FAULTS.filter((one) => !this.#waiting.includes(one)));
  }
}

/** What the fault does, if it can happen at this moment: `lost`, `hangs`, an HTTP status. */
function effectOf(fault: WireFault, moment: Moment): string | undefined {
  if (moment.wire === 'database') {
    const place = { copy: 'COPY ', commit: 'COMMIT ', committed: 'COMMIT answer ' }[moment.at];
    const effect = fault.startsWith(place) ? fault.slice(place.length) : undefined;
    return effect === 'answer lost' || effect === 'answer hangs' ? undefined : effect;
  }
  const [kind, effect] = fault.split(': ');
  return kind === moment.call.kind && (effect === 'answer lost') === (moment.at === 'answer') ? effect : undefined;
}

function deedOf(effect: string): Deed {
  switch (effect) {
    case 'hangs':
    case 'timeout':
      return { does: 'withhold', until: sleep(HANG_MS, undefined, { ref: false }) };
    case 'reset':
    case 'lost':
    case 'answer lost':
      return { does: 'reset' };
    default:
      return { does: 'refuse', status: Number(effect) };
  }
}
