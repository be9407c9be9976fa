import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, DatabaseError } from 'pg';
import type { Stage } from '../stage.ts';
import type { Fault } from './fault.ts';

const TRIES = 10;
const FOUND_WITHIN_MS = 8_000;
const WAIT_MS = 5_000;
const ASK_EVERY_MS = 20;
/** PostgreSQL ends the one that has waited so long; for the recorders' connections it is `DEADLOCK_TIMEOUT`. */
const LONGER_THAN_THE_RECORDER = '10s';
const DEADLOCK_DETECTED = '40P01';
/** What a recorder holds is free long before that, unless something is wrong with it that the next check will tell. */
const LONGEST_LOCK_WAIT = '90s';

/**
 * Locks positions in the order that the recorder does not: first the last one that the recorder comes to, then, once it
 * waits for that one with others in its hands, those. PostgreSQL ends the recorder's transaction with 40P01.
 */
export const deadlock: Fault = async ({ stage, say }) => {
  return await stage.database.use(async (client) => {
    await client.query(
      `SET deadlock_timeout = '${LONGER_THAN_THE_RECORDER}'; SET lock_timeout = '${LONGEST_LOCK_WAIT}'`,
    );
    for (let tries = 1; tries <= TRIES; tries += 1) {
      if (!(await endsTheOther(client, stage))) continue;
      say(`the recorder's transaction was ended (40P01), at try ${tries}`);
      return true;
    }
    return false;
  });
};

/** @returns whether the recorder's transaction was ended, not this client's */
async function endsTheOther(client: Client, { database, signal }: Stage): Promise<boolean> {
  await client.query('BEGIN');
  try {
    const lock = (where: string) =>
      client.query(`SELECT FROM log_position WHERE sink = 'hot' AND ${where} ORDER BY topic, partition FOR UPDATE`);
    await lock("topic = 'market.tick'");
    await blocksSomebody(client, signal);
    const found = database.says('deadlock detected', FOUND_WITHIN_MS);
    await lock("topic < 'market.tick'");
    return await found;
  } catch (error) {
    // The recorder's look for a deadlock came before this client's second step, so it was the client that was ended.
    if ((error as DatabaseError).code !== DEADLOCK_DETECTED) throw error;
    return false;
  } finally {
    await client.query('ROLLBACK');
  }
}

async function blocksSomebody(client: Client, signal: AbortSignal): Promise<void> {
  const until = performance.now() + WAIT_MS;
  while (performance.now() < until) {
    const { rowCount } = await client.query(
      'SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))',
    );
    if (rowCount !== 0) return;
    await sleep(ASK_EVERY_MS, undefined, { signal });
  }
}
