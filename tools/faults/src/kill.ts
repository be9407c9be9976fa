import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { aimAt, type Aim, type Phase } from './phases.ts';
import type { RecorderSlot } from './recorder-slot.ts';
import type { Stage } from './stage.ts';
import type { Ambush } from './watch.ts';

const OCCASION_MS = 120_000;
const LONGEST_WAIT_MS = 4_000;
const BURST_EVERY_MS = 40_000;

/**
 * Kills the first recorder that comes to the phase. Resolves when it is gone; it is not started again.
 *
 * @returns `undefined` when none came to it within two minutes
 */
export async function killIn(phase: Phase, stage: Stage, chance: Chance): Promise<RecorderSlot | undefined> {
  const slot = await strike(phase, stage, chance);
  await slot?.gone();
  return slot;
}

async function strike(phase: Phase, stage: Stage, chance: Chance): Promise<RecorderSlot | undefined> {
  if (phase === 'at any moment') return await killBlindly(stage, chance);
  const struck = Promise.withResolvers<RecorderSlot | undefined>();
  const over = new AbortController();
  const lift = stage.running.map((slot) => lay(slot, aimAt(phase), over, struck.resolve));
  const ending = AbortSignal.any([over.signal, stage.signal]);
  const late = sleep(OCCASION_MS, undefined, { signal: ending }).catch(() => struck.promise);
  const bursts = phase === 'inside a multipart upload' ? burstUntil(stage, ending) : undefined;
  const slot = await Promise.race([struck.promise, late, aborted(stage.signal)]);
  over.abort();
  for (const one of lift) one();
  await bursts;
  return slot;
}

/** @param over aborts when the first recorder is struck: there is one kill, however many come to the phase */
function lay(slot: RecorderSlot, aim: Aim, over: AbortController, onStruck: (slot: RecorderSlot) => void): () => void {
  const ambush: Ambush = {
    waitsFor: (moment) => aim.isMet(moment) && !over.signal.aborted,
    springs: () => {
      over.abort();
      return aim.strikes(() => {
        slot.kill();
        onStruck(slot);
      });
    },
  };
  slot.watch.lay(ambush);
  return () => slot.watch.lift(ambush);
}

async function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  await once(signal, 'abort');
  return signal.throwIfAborted() as never;
}

async function killBlindly(stage: Stage, chance: Chance): Promise<RecorderSlot> {
  await sleep(chance.between(0, LONGEST_WAIT_MS), undefined, { signal: stage.signal });
  const slot = chance.one(stage.running);
  slot.kill();
  return slot;
}

async function burstUntil(stage: Stage, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    stage.load.burst();
    await sleep(BURST_EVERY_MS, undefined, { signal: ending }).catch(() => undefined);
  }
}
