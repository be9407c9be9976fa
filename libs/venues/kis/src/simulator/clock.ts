const KST_OFFSET_MS = 9 * 3_600_000;
const DAY_SECONDS = 86_400;

/** A day to begin with; without one the simulated clock is the machine's. */
export interface SimulatedDay {
  /** Business date, YYYYMMDD. */
  readonly date: string;
  /** Where the clock begins, HHMMSS KST. */
  readonly from: string;
  /** Simulated seconds in one second of the machine. */
  readonly speed: number;
}

/** The venue's time. It begins when it is made. */
export class SimulatedClock {
  readonly #wall: () => number;
  readonly #beganAt: number;
  readonly #from: number;
  readonly #speed: number;

  /** @param wall ms since the epoch */
  constructor(wall: () => number, day: SimulatedDay | undefined) {
    this.#wall = wall;
    this.#beganAt = wall();
    this.#from = day === undefined ? this.#beganAt : epochOf(day.date, day.from);
    this.#speed = day?.speed ?? 1;
  }

  /** The machine's clock, for what belongs to the connection and not to the market. */
  get wall(): number {
    return this.#wall();
  }

  /** Simulated time, ms since the epoch. */
  get now(): number {
    return this.#from + Math.floor((this.#wall() - this.#beganAt) * this.#speed);
  }

  /** How long the machine takes for a stretch of simulated time, ms. */
  wallDelay(simulatedMs: number): number {
    return Math.max(0, simulatedMs / this.#speed);
  }
}

/** A moment as the venue writes it: no zone, no fraction. */
export interface VenueTime {
  /** YYYYMMDD and HHMMSS, KST. */
  readonly date: string;
  readonly time: string;
  /** Since midnight KST. */
  readonly second: number;
}

let lastSecond = -1;
let lastTime: VenueTime = { date: '', time: '', second: 0 };

/**
 * Thousands of records share a second, so the last one is kept.
 *
 * @param millis ms since the epoch
 */
export function venueTime(millis: number): VenueTime {
  const localSecond = Math.floor((millis + KST_OFFSET_MS) / 1000);
  if (localSecond !== lastSecond) {
    const iso = new Date(localSecond * 1000).toISOString();
    lastSecond = localSecond;
    lastTime = {
      date: iso.slice(0, 10).replaceAll('-', ''),
      time: iso.slice(11, 19).replaceAll(':', ''),
      second: localSecond % DAY_SECONDS,
    };
  }
  return lastTime;
}

/** `2026-11-23 09:00:00`, as the token's expiry is written. */
export function wallClockText(millis: number): string {
  return new Date(millis + KST_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** @param date YYYYMMDD @param time HHMMSS, both KST */
export function epochOf(date: string, time: string): number {
  const text = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4, 6)}+09:00`;
  const epoch = Date.parse(text);
  if (Number.isNaN(epoch)) throw new RangeError(`no such moment: ${date} ${time}; expected YYYYMMDD HHMMSS`);
  return epoch;
}

/** Seconds since midnight of HHMMSS. */
export function secondOf(time: string): number {
  return Number(time.slice(0, 2)) * 3600 + Number(time.slice(2, 4)) * 60 + Number(time.slice(4, 6));
}

/** HHMMSS of seconds since midnight. */
export function timeOf(second: number): string {
  return [second / 3600, (second / 60) % 60, second % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join('');
}
