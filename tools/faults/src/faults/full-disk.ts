import { setTimeout as sleep } from 'node:timers/promises';
import type { Ambush } from '../watch.ts';
import type { Fault, FaultContext } from './fault.ts';

const SQLSTATE = '53100';
const SHORTEST_MS = 2_000;
const LONGEST_MS = 5_000;
const OCCASION_MS = 30_000;
const INJECTED_ERRORS = 3;

/** The disk of the trades is full for a while: a real one where one may be mounted, else the error that it makes. */
export const fullDisk: Fault = async (context) => {
  const { stage, chance, say } = context;
  const { disk } = stage.database;
  if (disk === undefined) return await injected(context);
  const ms = chance.whole(SHORTEST_MS, LONGEST_MS);
  const felt = stage.database.says('No space left on device', OCCASION_MS);
  disk.fill();
  try {
    if (!(await felt)) return false;
    say(`the disk is full (53100), and stays so for another ${ms} ms`);
    await sleep(ms, undefined, { signal: stage.signal });
    return true;
  } finally {
    disk.free();
  }
};

async function injected({ stage, chance, say }: FaultContext): Promise<boolean> {
  const slot = chance.one(stage.running);
  let left = INJECTED_ERRORS;
  const ambush: Ambush = {
    waitsFor: (moment) => moment.wire === 'database' && moment.at === 'copy',
    springs: () => {
      left -= 1;
      if (left > 0) slot.watch.lay(ambush);
      return { does: 'refuse', status: SQLSTATE };
    },
  };
  slot.watch.lay(ambush);
  await sleep(LONGEST_MS, undefined, { signal: stage.signal });
  slot.watch.lift(ambush);
  say(`${slot.name} was told ${INJECTED_ERRORS - left} times that the disk is full (no disk could be mounted)`);
  return left < INJECTED_ERRORS;
}
