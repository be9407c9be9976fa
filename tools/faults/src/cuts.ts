import { placeOf } from './topics.ts';

/** What the run itself has taken from the log, as retention does. */
export class Cuts {
  readonly #before = new Map<string, number>();

  add(topic: string, partition: number, before: number): void {
    this.#before.set(placeOf(topic, partition), Math.max(before, this.before(topic, partition)));
  }

  /** Offsets below it are cut off; 0 when none is. */
  before(topic: string, partition: number): number {
    return this.#before.get(placeOf(topic, partition)) ?? 0;
  }
}
