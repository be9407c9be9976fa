import type { KisSimulatorSettings } from '@aipx/venue-kis/simulator';
import { Watch } from './watch.js';

/**
 * The time of a simulated day, which goes on with each look at it: a day lasts as many looks, however fast the machine is. It
 * stands still until it is told to run.
 */
export class DayClock {
  readonly day: NonNullable<KisSimulatorSettings['day']>;
  #now: number;
  #stepMs = 0;
  readonly #watch = new Watch();

  /** @param date YYYYMMDD @param from HHMMSS, both KST */
  constructor(date: string, from: string) {
    this.day = { date, from, speed: 1 };
    this.#now = epochOf(date, from);
  }

  /** For the simulator; ms since the epoch. */
  readonly look = (): number => {
    if (this.#stepMs > 0) {
      this.#now += this.#stepMs;
      this.#watch.changed();
    }
    return this.#now;
  };

  run(stepMs: number): void {
    this.#stepMs = stepMs;
  }

  stand(): void {
    this.#stepMs = 0;
  }

  jump(date: string, time: string): void {
    this.#now = epochOf(date, time);
  }

  /** Resolves at that time of the day that is played. */
  reaches(date: string, time: string): Promise<void> {
    const at = epochOf(date, time);
    return this.#watch.until(() => this.#now >= at);
  }
}

function epochOf(date: string, time: string): number {
  const day = date.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3');
  const clock = time.replace(/(\d\d)(\d\d)(\d\d)/, '$1:$2:$3');
  return Date.parse(`${day}T${clock}+09:00`);
}
