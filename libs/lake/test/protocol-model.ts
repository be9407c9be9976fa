/**
 * The protocol of the lake without its code: what is stored, what an owner remembers, and the steps between. Each step
 * does at most one thing to the store, so that owners can be interleaved and killed between any two.
 *
 * ```
 *            ┌──────── crash, from anywhere: all memory is lost ────────┐
 *            ▼                                                          │
 *   open ─► cut ─► plan ─┬─ created, or the same ─────────► file … ─► entry ─► cut
 *     │                  └─ another's plan ─► read again ─► file …
 *     └─ a plan without entry ──────────────► read again ─► file …
 * ```
 */
export interface World {
  /** The log, one item an offset. */
  readonly records: { readonly hour: string; readonly decodable: boolean }[];
  /** Offsets below were taken by retention. */
  logBegin: number;
  /** By first offset. */
  readonly plans: Map<number, ModelPlan>;
  /** By `<first offset>/<hour>`: the offsets in the file. */
  readonly files: Map<string, readonly number[]>;
  /** By first offset: the offsets given up as missing. */
  readonly entries: Map<number, readonly number[]>;
}

export interface ModelPlan {
  readonly begin: number;
  readonly end: number;
  readonly undecodable: readonly number[];
  readonly hours: readonly string[];
}

/** Rules that can be taken away, to see that each is needed. */
export interface Rules {
  /** A plan that exists is followed. Without: the owner goes on with its own cut. */
  readonly followPlans: boolean;
  /** An existing file stays as it is. Without: the last writer wins. */
  readonly createOnly: boolean;
  /** An hour whose rows are all lost still gets a file. Without: it is left out. */
  readonly emptyFiles: boolean;
  /** A batch without an entry is finished first. Without: its plan counts as done. */
  readonly finishFirst: boolean;
}

export const PROTOCOL: Rules = { followPlans: true, createOnly: true, emptyFiles: true, finishFirst: true };

export function newWorld(): World {
  return { records: [], logBegin: 0, plans: new Map(), files: new Map(), entries: new Map() };
}

type Step =
  | { readonly at: 'open' }
  | { readonly at: 'cut'; readonly position: number }
  | { readonly at: 'plan'; readonly mine: ModelPlan; readonly held: readonly number[] }
  | { readonly at: 'read'; readonly plan: ModelPlan }
  | { readonly at: 'file'; readonly plan: ModelPlan; readonly held: readonly number[]; readonly index: number }
  | { readonly at: 'entry'; readonly plan: ModelPlan };

/** One process that believes the partition is its own. */
export class Owner {
  #step: Step = { at: 'open' };

  get idle(): boolean {
    return this.#step.at === 'cut';
  }

  crash(): void {
    this.#step = { at: 'open' };
  }

  /** @param rows how many records the owner cuts, if that is its next step */
  step(world: World, rules: Rules, rows: number): void {
    this.#step = next(world, rules, this.#step, rows);
  }
}

function next(world: World, rules: Rules, step: Step, rows: number): Step {
  switch (step.at) {
    case 'open': {
      const last = [...world.plans.values()].sort((a, b) => a.begin - b.begin).at(-1);
      if (last === undefined) return { at: 'cut', position: 0 };
      return world.entries.has(last.begin) || !rules.finishFirst
        ? { at: 'cut', position: last.end }
        : { at: 'read', plan: last };
    }
    case 'cut': {
      const begin = Math.max(step.position, world.logBegin);
      const held = readable(world, begin, begin + rows);
      const last = held.at(-1);
      return last === undefined ? step : { at: 'plan', mine: planOf(world, step.position, last + 1, held), held };
    }
    case 'plan': {
      const found = world.plans.get(step.mine.begin);
      if (found === undefined) world.plans.set(step.mine.begin, step.mine);
      const same = found === undefined || JSON.stringify(found) === JSON.stringify(step.mine);
      return same || !rules.followPlans
        ? { at: 'file', plan: step.mine, held: step.held, index: 0 }
        : { at: 'read', plan: found };
    }
    case 'read':
      return { at: 'file', plan: step.plan, held: readable(world, step.plan.begin, step.plan.end), index: 0 };
    case 'file': {
      const hour = step.plan.hours[step.index];
      if (hour === undefined) return { at: 'entry', plan: step.plan };
      const offsets = step.held.filter((offset) => isRow(world, offset, hour));
      const key = `${step.plan.begin}/${hour}`;
      const wanted = offsets.length > 0 || rules.emptyFiles;
      if (wanted && !(rules.createOnly && world.files.has(key))) world.files.set(key, offsets);
      return { ...step, index: step.index + 1 };
    }
    case 'entry': {
      const { begin, end } = step.plan;
      const missing = offsetsFrom(begin, end).filter((offset) => !accounted(world, step.plan).includes(offset));
      const found = world.entries.get(begin);
      if (found === undefined) world.entries.set(begin, missing);
      else if (found.join() !== missing.join()) throw new Error(`two owners disagree about the batch from ${begin}`);
      return { at: 'cut', position: end };
    }
  }
}

/**
 * What must hold after every step: the chain has no hole and no overlap, and each offset of a finished batch is exactly
 * one of in a file, undecodable, missing.
 *
 * @throws {Error} naming what does not hold
 */
export function expectSound(world: World): void {
  const plans = [...world.plans.values()].sort((a, b) => a.begin - b.begin);
  for (const [index, plan] of plans.entries()) {
    const previousEnd = plans[index - 1]?.end ?? 0;
    if (plan.begin !== previousEnd)
      throw new Error(`a plan begins at ${plan.begin}, the one before ends at ${previousEnd}`);
    const missing = world.entries.get(plan.begin);
    if (missing === undefined) continue;
    const all = [...accounted(world, plan), ...missing].sort((a, b) => a - b);
    if (all.join() !== offsetsFrom(plan.begin, plan.end).join()) {
      throw new Error(`the batch [${plan.begin}, ${plan.end}) accounts for ${all.join()}`);
    }
    const lost = missing.filter((offset) => offset >= world.logBegin);
    if (lost.length > 0) throw new Error(`${lost.join()} can be read, but counts as missing`);
  }
}

/** Where the chain of finished batches ends. */
export function finishedTo(world: World): number {
  return Math.max(0, ...[...world.entries.keys()].map((begin) => world.plans.get(begin)?.end ?? 0));
}

function planOf(world: World, begin: number, end: number, held: readonly number[]): ModelPlan {
  const decodable = held.filter((offset) => world.records[offset]?.decodable);
  return {
    begin,
    end,
    undecodable: held.filter((offset) => !decodable.includes(offset)),
    hours: [...new Set(decodable.map((offset) => world.records[offset]?.hour ?? ''))].sort(),
  };
}

function accounted(world: World, plan: ModelPlan): number[] {
  return [...plan.undecodable, ...plan.hours.flatMap((hour) => world.files.get(`${plan.begin}/${hour}`) ?? [])];
}

function isRow({ records }: World, offset: number, hour: string): boolean {
  return records[offset]?.decodable === true && records[offset].hour === hour;
}

function readable({ logBegin, records }: World, begin: number, end: number): number[] {
  return offsetsFrom(Math.max(begin, logBegin), Math.min(end, records.length));
}

function offsetsFrom(begin: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - begin) }, (_, index) => begin + index);
}
