import { setTimeout as timer } from 'node:timers/promises';
import type { Clock } from '@aipx/kis-auth';

/** Two hundred seconds pass in one. */
const SPEED = 200;
const beganAt = Date.now();

/** For the waits of keys and sessions: the twenty seconds after a loss are a tenth of one. */
export const fastClock: Clock = {
  now: () => beganAt + (Date.now() - beganAt) * SPEED,
  sleep: async (ms, signal) => {
    await timer(ms / SPEED, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  },
  random: () => Math.random(),
};
