import { setTimeout as sleep } from 'node:timers/promises';
import { SESSION_TIMEOUT_MS } from '../stage.ts';
import type { Deed, Moment } from '../moment.ts';
import { occasion } from '../occasion.ts';
import type { Fault } from './fault.ts';

/** Behind the session timeout, for the others to take over and to go on. */
const TAKEN_OVER_MS = 5_000;

/** One recorder more or less, from one to four of them. */
export const membersChange: Fault = async ({ stage, chance, say }) => {
  const isJoin = stage.running.length <= 1 || (stage.idle.length > 0 && chance.between(0, 1) < 0.5);
  const slot = chance.one(isJoin ? stage.idle : stage.running);
  say(`${slot.name} ${isJoin ? 'joins' : 'leaves (SIGTERM)'}`);
  if (isJoin) slot.start();
  const wrong = isJoin ? undefined : await slot.terminate();
  if (wrong !== undefined) throw new Error(wrong);
  return true;
};

/** What a recorder is doing when it falls asleep, and whose message then comes late. */
const ASLEEP_AT: Readonly<Record<string, (moment: Moment) => boolean>> = {
  'before a plan': (moment) => moment.wire === 's3' && moment.at === 'request' && moment.call.kind === 'plan',
  'before a file': (moment) => moment.wire === 's3' && moment.at === 'request' && moment.call.kind === 'file',
  'before a manifest entry': (moment) =>
    moment.wire === 's3' && moment.at === 'request' && moment.call.kind === 'entry',
  'inside COPY': (moment) => moment.wire === 'database' && moment.at === 'copy',
  'before COMMIT': (moment) => moment.wire === 'database' && moment.at === 'commit',
};

/** A recorder stops (SIGSTOP) in the middle of its work, its partitions move, it wakes and goes on where it was. */
export const sleeper: Fault = async ({ stage, chance, say }) => {
  for (const slot of stage.idle.slice(0, Math.max(0, 2 - stage.running.length))) slot.start();
  const slot = chance.one(stage.running);
  const where = chance.one(Object.keys(ASLEEP_AT));
  const awake = Promise.withResolvers<undefined>();
  const springs = (): Deed => {
    slot.pause();
    return { does: 'pass', until: awake.promise };
  };
  if (!(await occasion([slot], ASLEEP_AT[where] ?? (() => true), stage.signal, springs))) return false;
  const ms = SESSION_TIMEOUT_MS + chance.whole(TAKEN_OVER_MS, 2 * TAKEN_OVER_MS);
  say(`${slot.name} sleeps ${where} for ${ms} ms, and its last message comes late`);
  try {
    await sleep(ms, undefined, { signal: stage.signal });
  } finally {
    awake.resolve(undefined);
    slot.resume();
  }
  return true;
};
