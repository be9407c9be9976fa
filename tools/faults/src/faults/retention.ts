import { setTimeout as sleep } from 'node:timers/promises';
import { byPlace } from '../kafka-admin.ts';
import { behindPlan } from '../phases.ts';
import { placeOf } from '../topics.ts';
import type { Ambush } from '../watch.ts';
import type { Fault, FaultContext } from './fault.ts';

const OCCASION_MS = 30_000;
const BACKLOG_MS = 3_000;
/** Of a batch that is worth to be cut. */
const LEAST_RECORDS = 10;
const MOST_PARTITIONS = 5;

/** Retention takes the first part of a batch that was planned and of which no file is there, then everybody comes back. */
export const retentionInBatch: Fault = async ({ stage, chance, say }) => {
  const planned = await stopAtPlan({ stage, chance, say });
  if (planned === undefined) return false;
  const { topic, partition, begin, end, slots } = planned;
  try {
    const before = chance.whole(begin + 1, end - 1);
    await stage.admin.deleteBefore(topic, partition, before);
    stage.cuts.add(topic, partition, before);
    say(`retention takes ${placeOf(topic, partition)} up to ${before}, inside of the batch from ${begin} to ${end}`);
  } finally {
    for (const slot of slots) slot.start();
  }
  return true;
};

/** Retention takes what came while all recorders were down, in a few partitions. */
export const retentionInBacklog: Fault = async ({ stage, chance, say }) => {
  const slots = stage.running;
  for (const slot of slots) slot.kill();
  await Promise.all(slots.map((slot) => slot.gone()));
  try {
    await sleep(BACKLOG_MS, undefined, { signal: stage.signal });
    const [positions, ranges] = [await stage.database.positions(), await stage.admin.ranges()];
    const backlogs = [...byPlace(ranges)]
      .map(([place, { topic, partition, end }]) => ({ place, topic, partition, from: positions.get(place) ?? 0, end }))
      .filter(({ from, end }) => end - from >= LEAST_RECORDS);
    const chosen = chance.shuffled(backlogs).slice(0, chance.whole(1, MOST_PARTITIONS));
    for (const { place, topic, partition, from, end } of chosen) {
      const before = chance.whole(from + 1, end - 1);
      await stage.admin.deleteBefore(topic, partition, before);
      stage.cuts.add(topic, partition, before);
      say(`retention takes ${place} up to ${before}; the database stands at ${from}, the log's end is ${end}`);
    }
    return chosen.length > 0;
  } finally {
    for (const slot of slots) slot.start();
  }
};

/** Kills all recorders as soon as one has planned a batch. */
async function stopAtPlan({ stage }: FaultContext) {
  const slots = stage.running;
  const planned = Promise.withResolvers<PlannedBatch | undefined>();
  const lift = slots.map((slot) => {
    const plans = new Map<string | undefined, PlannedBatch>();
    const isBehindPlan = behindPlan();
    const ambush: Ambush = {
      waitsFor: (moment) => {
        if (moment.wire === 's3' && moment.call.kind === 'plan')
          plans.set(moment.call.batch, readPlan(moment.call.body));
        const plan = moment.wire === 's3' ? plans.get(moment.call.batch) : undefined;
        return isBehindPlan(moment) && plan !== undefined && plan.end - plan.begin >= LEAST_RECORDS;
      },
      springs: (moment) => {
        for (const one of slots) one.kill();
        planned.resolve(moment.wire === 's3' ? plans.get(moment.call.batch) : undefined);
        return { does: 'withhold' };
      },
    };
    slot.watch.lay(ambush);
    return () => slot.watch.lift(ambush);
  });
  const late = sleep(OCCASION_MS, undefined, { signal: stage.signal, ref: false });
  const batch = await Promise.race([planned.promise, late]);
  for (const one of lift) one();
  if (batch === undefined) return undefined;
  await Promise.all(slots.map((slot) => slot.gone()));
  return { ...batch, slots };
}

interface PlannedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly begin: number;
  readonly end: number;
}

function readPlan(body: Buffer): PlannedBatch {
  // A client may send its body in chunks with checksums around them.
  const text = body.toString('utf8');
  const plan = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as Record<
    keyof PlannedBatch,
    string
  >;
  const { topic, partition, begin, end } = plan;
  return { topic, partition: Number(partition), begin: Number(begin), end: Number(end) };
}
