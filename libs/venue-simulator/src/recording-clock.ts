/** A sender that lags behind the recording by more than this goes on from where it is. */
const LARGEST_LAG_MS = 1_000;

/** When a recorded frame is due, by the receive times of the recording. */
export class RecordingClock {
  readonly #speed: number | 'max';
  #start: { readonly recorded: number; readonly wall: number } | undefined;

  constructor(speed: number | 'max') {
    this.#speed = speed;
  }

  /** The next frame is due at once, and the following ones are measured from it. */
  restart(): void {
    this.#start = undefined;
  }

  /** How many ms too early it still is; 0 or less when the frame is due, or does not say when it was received. */
  early(recorded: number | undefined): number {
    if (this.#speed === 'max' || recorded === undefined) return 0;
    const wall = performance.now();
    this.#start ??= { recorded, wall };
    const early = this.#start.wall + (recorded - this.#start.recorded) / this.#speed - wall;
    if (early < -LARGEST_LAG_MS) this.#start = { recorded, wall };
    return early;
  }
}
