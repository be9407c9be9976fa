import type { CommittedOffset } from '@aipx/event-log';
import type { PatientObjectStore } from '../object-store/patient-object-store.js';
import type { LakeNames } from './names.js';
import { readPlan, type Plan } from './plan.js';
import { damaged } from './stored-json.js';

/** The batches of a partition: plans that follow one another from offset 0, of which only the latest may lack an entry. */
export interface Chain {
  /** The latest plan; `undefined` when nothing was ever planned. */
  readonly last: Plan | undefined;
  /** Plans without an entry, ascending. */
  readonly unfinished: readonly Plan[];
}

/** Batches followed by name before a listing is cheaper. */
const MOST_STEPS = 100;

/**
 * Finds the chain's end from a hint: the plan that it names, if it exists, is of this log and ends at its offset, and from
 * there one plan after the other by its name. Without a hint that proves right, from listings.
 *
 * @throws {MarketDataError} `STORE_DAMAGED` when objects that must be there are not
 */
export async function findChainEnd(
  objects: PatientObjectStore,
  names: LakeNames,
  logId: string,
  committed: CommittedOffset | undefined,
): Promise<Chain> {
  const hinted = committed === undefined ? undefined : await hintedPlan(objects, names, logId, committed);
  const followed = hinted === undefined ? undefined : await follow(objects, names, hinted);
  return followed ?? findChain(objects, names);
}

/** What `findChainEnd` believes later. */
export function hintOf({ begin, end }: Plan): CommittedOffset {
  return { offset: end, metadata: begin.toString() };
}

async function hintedPlan(
  objects: PatientObjectStore,
  names: LakeNames,
  logId: string,
  { offset, metadata }: CommittedOffset,
): Promise<Plan | undefined> {
  if (!/^(0|[1-9]\d{0,18})$/.test(metadata)) return undefined;
  const plan = await planAt(objects, names, BigInt(metadata));
  return plan?.end === offset && plan.logId === logId ? plan : undefined;
}

/** The chain from a plan on; `undefined` when it goes on for long. No batch before the plan lacks its entry. */
async function follow(objects: PatientObjectStore, names: LakeNames, from: Plan): Promise<Chain | undefined> {
  let last = from;
  const unfinished: Plan[] = [];
  for (let steps = 0; steps < MOST_STEPS; steps += 1) {
    if ((await objects.get(names.entry(last.begin))) === undefined) unfinished.push(last);
    const next = await planAt(objects, names, last.end);
    if (next === undefined) return { last, unfinished };
    last = next;
  }
  return undefined;
}

/**
 * Finds the chain's end from names alone: two listings, and a plan is read only where something hangs on it. That stays
 * cheap for chains of many thousands of batches.
 *
 * @throws {MarketDataError} `STORE_DAMAGED` when objects that must be there are not
 */
async function findChain(objects: PatientObjectStore, names: LakeNames): Promise<Chain> {
  // Entries first: another owner may be at work, and a plan is there before its entry.
  const entries = await begins(objects, names, names.entries);
  const plans = await begins(objects, names, names.plans);
  const planned = new Set(plans);
  for (const begin of entries) {
    if (!planned.has(begin)) throw damaged(names.plan(begin), 'is missing, but its batch is finished');
  }
  const [first] = plans;
  if (first === undefined) return { last: undefined, unfinished: [] };
  if (first !== 0n) throw damaged(names.plan(0n), `is missing, but a batch begins at ${first}`);

  const finished = new Set(entries);
  const unfinished: Plan[] = [];
  let last: Plan | undefined;
  for (const [index, begin] of plans.entries()) {
    const next = plans[index + 1];
    if (finished.has(begin) && index < plans.length - 2) continue;
    last = await readStoredPlan(objects, names, begin);
    if (next !== undefined && last.end !== next) {
      throw damaged(names.plan(begin), `ends at ${last.end}, but the next batch begins at ${next}`);
    }
    if (!finished.has(begin)) unfinished.push(last);
  }
  return { last, unfinished };
}

/** @throws {MarketDataError} `STORE_DAMAGED` when the plan is not there or is not this batch's */
export async function readStoredPlan(objects: PatientObjectStore, names: LakeNames, begin: bigint): Promise<Plan> {
  const plan = await planAt(objects, names, begin);
  if (plan === undefined) throw damaged(names.plan(begin), 'was there a moment ago and is gone');
  return plan;
}

async function planAt(objects: PatientObjectStore, names: LakeNames, begin: bigint): Promise<Plan | undefined> {
  const key = names.plan(begin);
  const bytes = await objects.get(key);
  if (bytes === undefined) return undefined;
  const plan = readPlan(key, bytes);
  const { topic, partition } = plan.partition;
  if (plan.begin !== begin || topic !== names.partition.topic || partition !== names.partition.partition) {
    throw damaged(key, `is the plan of ${topic}/${partition} from ${plan.begin}`);
  }
  return plan;
}

async function begins(objects: PatientObjectStore, names: LakeNames, prefix: string): Promise<bigint[]> {
  const keys = await objects.list(prefix);
  return keys.map((key) => names.beginOf(key)).filter((begin) => begin !== undefined);
}
