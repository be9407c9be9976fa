import { PASS, type Deed, type Moment } from './moment.ts';

/** Lies in wait for a moment, once. */
export interface Ambush {
  readonly waitsFor: (moment: Moment) => boolean;
  readonly springs: (moment: Moment) => Deed;
}

/** All that lies in wait for one recorder. */
export class Watch {
  readonly #ambushes = new Set<Ambush>();

  /** @param otherwise decides where no ambush does */
  constructor(otherwise: (moment: Moment) => Deed = () => PASS) {
    this.judge = (moment) => {
      for (const ambush of this.#ambushes) {
        if (!ambush.waitsFor(moment)) continue;
        this.#ambushes.delete(ambush);
        return ambush.springs(moment);
      }
      return otherwise(moment);
    };
  }

  readonly judge: (moment: Moment) => Deed;

  lay(ambush: Ambush): void {
    this.#ambushes.add(ambush);
  }

  lift(ambush: Ambush): void {
    this.#ambushes.delete(ambush);
  }
}
