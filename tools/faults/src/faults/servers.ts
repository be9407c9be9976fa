import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultContext } from './fault.ts';

const SHORTEST_MS = 500;
const LONGEST_MS = 4_000;

export const brokerRestart: Fault = async (context) => {
  await context.stage.killBroker();
  await away(context, 'the broker');
  await context.stage.startBroker();
  return true;
};

export const databaseRestart: Fault = async (context) => {
  await context.stage.database.crash();
  await away(context, 'the database');
  await context.stage.database.start();
  return true;
};

export const s3Outage: Fault = async (context) => {
  await context.stage.s3.kill();
  await away(context, 'the S3 server');
  await context.stage.s3.start();
  return true;
};

export const everythingDown: Fault = async (context) => {
  const { stage } = context;
  await Promise.all([stage.database.crash(), stage.s3.kill(), stage.killBroker()]);
  await away(context, 'everything');
  await Promise.all([stage.database.start(), stage.s3.start(), stage.startBroker()]);
  return true;
};

async function away({ stage, chance, say }: FaultContext, who: string): Promise<void> {
  const ms = chance.whole(SHORTEST_MS, LONGEST_MS);
  say(`${who} is away for ${ms} ms`);
  await sleep(ms, undefined, { signal: stage.signal });
}
