/**
 * The protocol of the lake without its code: what is stored, what an owner remembers, and the steps between, as
 * `src/protocol/README.md` lists them. Each step does at most one thing to the store, so that owners can be interleaved and
 * killed between any two.
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
  /** What the consumer group keeps. Anybody may have written it. */
  committed: Hint | undefined;
}

export interface ModelPlan {
  readonly begin: number;
  readonly end: number;
  readonly undecodable: readonly number[];
  readonly hours: readonly string[];
}

/** A batch by its first offset, and the offset behind it. */
export interface Hint {
  readonly begin: number;
  readonly offset: number;
}

/** Rules that can be taken away, to see that each is needed. */
export interface Rules {
  /** A hint is believed only if the plan that it names ends at its offset. Without: its offset is the position. */
  readonly checkHints: boolean;
  /** A plan that exists is followed. Without: the owner goes on with its own cut. */
  readonly followPlans: boolean;
  /** An existing file stays as it is. Without: the last writer wins. */
  readonly createOnly: boolean;
  /** An hour whose rows are all lost still gets a file. Without: it is left out. */
  readonly emptyFiles: boolean;
  /** A batch without an entry is finished first. Without: its plan counts as done. */
  readonly finishFirst: boolean;
}

export const PROTOCOL: Rules = {
  checkHints: true,
  followPlans: true,
  createOnly: true,
  emptyFiles: true,
  finishFirst: true,
};

export function newWorld(): World {
  return { records: [], logBegin: 0, plans: new Map(), files: new Map(), entries: new Map(), committed: undefined };
}

/** A batch in the making, the unfinished ones behind it, and the chain's last, which may be finished. */
interface Work {
  readonly plan: ModelPlan;
  readonly rest: readonly ModelPlan[];
  readonly last: ModelPlan;
}

type Step =
  | { readonly at: 'open' }
  | { readonly at: 'follow'; readonly last: ModelPlan; readonly unfinished: readonly ModelPlan[] }
  | { readonly at: 'next'; readonly last: ModelPlan; readonly unfinished: readonly ModelPlan[] }
  | { readonly at: 'list'; readonly entries: ReadonlySet<number> }
  | { readonly at: 'cut'; readonly position: number }
  | { readonly at: 'plan'; readonly mine: ModelPlan; readonly held: readonly number[] }
  | ({ readonly at: 'read' } & Work)
  | ({ readonly at: 'file'; readonly held: readonly number[]; readonly index: number } & Work)
  | ({ readonly at: 'entry' } & Work)
  | ({ readonly at: 'commit' } & Work);

/** One process that believes the partition is its own. */
export class Owner {
  #step: Step = { at: 'open' };

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
      const { committed, plans, entries } = world;
      if (committed !== undefined && !rules.checkHints) return { at: 'cut', position: committed.offset };
      const hinted = committed === undefined ? undefined : plans.get(committed.begin);
      return hinted !== undefined && hinted.end === committed?.offset
        ? { at: 'follow', last: hinted, unfinished: [] }
        : { at: 'list', entries: new Set(entries.keys()) };
    }
    case 'follow': {
      const unfinished = world.entries.has(step.last.begin) ? step.unfinished : [...step.unfinished, step.last];
      return { at: 'next', last: step.last, unfinished };
    }
    case 'next': {
      const found = world.plans.get(step.last.end);
      return found === undefined ? goOn(rules, step.last, step.unfinished) : { ...step, at: 'follow', last: found };
    }
    case 'list': {
      const plans = [...world.plans.values()].sort((a, b) => a.begin - b.begin);
      const unfinished = plans.filter(({ begin }) => !step.entries.has(begin));
      return goOn(rules, plans.at(-1), unfinished);
    }
    case 'cut': {
      const begin = Math.max(step.position, world.logBegin);
      const held = readable(world, begin, begin + rows);
      const last = held.at(-1);
      return last === undefined ? step : { at: 'plan', mine: planOf(world, step.position, last + 1, held), held };
    }
    case 'plan': {
      const { mine, held } = step;
      const found = world.plans.get(mine.begin);
      if (found === undefined) world.plans.set(mine.begin, mine);
      const same = found === undefined || JSON.stringify(found) === JSON.stringify(mine);
      return same || !rules.followPlans
        ? { at: 'file', plan: mine, rest: [], last: mine, held, index: 0 }
        : { at: 'read', plan: found, rest: [], last: found };
    }
    case 'read':
      return { ...step, at: 'file', held: readable(world, step.plan.begin, step.plan.end), index: 0 };
    case 'file': {
      const hour = step.plan.hours[step.index];
      if (hour === undefined) return { at: 'entry', plan: step.plan, rest: step.rest, last: step.last };
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
      return { ...step, at: 'commit' };
    }
    case 'commit':
      world.committed = { begin: step.plan.begin, offset: step.plan.end };
      return goOn(rules, step.last, step.rest);
  }
}

/** @param last the chain's end, as far as the owner knows */
function goOn(rules: Rules, last: ModelPlan | undefined, unfinished: readonly ModelPlan[]): Step {
  const [plan, ...rest] = unfinished;
  if (plan === undefined || last === undefined || !rules.finishFirst) return { at: 'cut', position: last?.end ?? 0 };
  return { at: 'read', plan, rest, last };
}

/**
 * What must hold after every step: the chain has no hole and no overlap, only its last batch is unfinished, and each offset
 * of a finished one is exactly one of in a file, undecodable, missing.
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
    if (missing === undefined) {
      if (index < plans.length - 1) throw new Error(`the batch from ${plan.begin} is unfinished and not the last`);
      continue;
    }
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
