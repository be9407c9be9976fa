import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  expectSound,
  finishedTo,
  newWorld,
  Owner,
  PROTOCOL,
  type Hint,
  type Rules,
  type World,
} from './protocol-model.js';

type Happening =
  | { readonly kind: 'append'; readonly records: World['records'] }
  | { readonly kind: 'step'; readonly owner: number; readonly rows: number; readonly times: number }
  | { readonly kind: 'crash'; readonly owner: number }
  | { readonly kind: 'retention'; readonly records: number }
  /** The group's offset is lost, or an operator moves it: to a batch's own hint, beside it, or anywhere. */
  | { readonly kind: 'reset'; readonly to: Hint | undefined; readonly batch: number | undefined };

const OWNERS = 3;
// Two owners for the most part: what goes wrong between owners needs their steps close together.
const owner = fc.oneof({ weight: 5, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(OWNERS - 1) });
const record = fc.record({ hour: fc.constantFrom('00', '01', '02'), decodable: fc.nat(6).map((n) => n !== 0) });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      owner,
      rows: fc.integer({ min: 1, max: 6 }),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      records: fc.array(record, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), owner }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('retention' as const), records: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reset' as const),
      to: fc.option(fc.record({ begin: fc.nat(12), offset: fc.nat(12) }), { nil: undefined }),
      batch: fc.option(fc.nat(4), { nil: undefined }),
    }),
  },
);

/** Plays the happenings, checks after each, then lets one owner finish whatever is left. */
function play(happenings: readonly Happening[], rules: Rules): World {
  const world = newWorld();
  const owners = Array.from({ length: OWNERS }, () => new Owner());
  for (const happened of happenings) {
    switch (happened.kind) {
      case 'append':
        world.records.push(...happened.records);
        break;
      case 'step':
        for (let time = 0; time < happened.times; time += 1) {
          owners[happened.owner]?.step(world, rules, happened.rows);
          expectSound(world);
        }
        break;
      case 'crash':
        owners[happened.owner]?.crash();
        break;
      case 'retention':
        world.logBegin = Math.min(world.records.length, world.logBegin + happened.records);
        break;
      case 'reset':
        world.committed = hintOf(world, happened.batch) ?? happened.to;
        break;
    }
    expectSound(world);
  }
  world.records.push({ hour: '00', decodable: true }); // a log whose last record is gone gives nothing to cut at
  settle(world, rules);
  expectSound(world);
  return world;
}

/** Of the n-th batch; also of one that others went on from long ago, or that is unfinished. */
function hintOf({ plans }: World, batch: number | undefined): Hint | undefined {
  const plan = batch === undefined ? undefined : [...plans.values()][batch];
  return plan && { begin: plan.begin, offset: plan.end };
}

function settle(world: World, rules: Rules): void {
  const last = new Owner();
  for (let steps = 0; finishedTo(world) < world.records.length; steps += 1) {
    if (steps > 1_000) throw new Error('the last owner does not come to an end');
    last.step(world, rules, 4);
  }
}

const RUNS = { numRuns: 5_000 };
const happenings = fc.array(happening, { minLength: 1, maxLength: 40 });

describe('the protocol of the lake, as a model', () => {
  it('puts every offset in exactly one file or list, whatever owners, crashes, retention and resets do', () => {
    fc.assert(
      fc.property(happenings, (played) => {
        const world = play(played, PROTOCOL);
        expect(finishedTo(world)).toBe(world.records.length);
      }),
      RUNS,
    );
  });

  it.each<[keyof Rules, string]>([
    ['checkHints', 'an owner begins where an operator or a slow member of the group has moved the offset to'],
    ['followPlans', 'an owner that goes on with its own cut doubles or loses rows'],
    ['createOnly', 'a late owner takes rows out of a file that is finished'],
    ['emptyFiles', 'a late owner adds rows that already count as missing'],
    ['finishFirst', 'rows of an unfinished batch are lost'],
  ])('needs the rule %s: without it %s', (rule) => {
    const broken = fc.check(
      fc.property(happenings, (played) => {
        const world = play(played, { ...PROTOCOL, [rule]: false });
        const planned = [...world.plans.keys()];
        if (planned.some((begin) => !world.entries.has(begin))) throw new Error('a batch stays unfinished');
      }),
      { numRuns: 20_000, seed: 1 },
    );
    expect(broken.failed).toBe(true);
  });
});
