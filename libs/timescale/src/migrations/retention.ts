import { MarketDataError } from '@aipx/market-model';
import type { Client } from 'pg';
import { HYPERTABLES, readPolicies } from './policies.js';

const HOUR_MS = 3_600_000;
/** A chunk of ticks. What is shorter would leave the refresh of the hourly bars no window. */
const SHORTEST_MS = 24 * HOUR_MS;
/** Between the end of what is dropped and the beginning of what is refreshed: neither job begins on the second. */
const MARGIN_MS = HOUR_MS;

/**
 * Only ever narrower: a refresh that reaches behind what is dropped deletes the bars there, for it finds no trades.
 * Nobody knows any more how far back the trades of a wider window are complete.
 */
const NARROW = `
  SELECT alter_job(job_id, config => jsonb_set(config, '{start_offset}', to_jsonb(($2::interval)::text)))
  FROM timescaledb_information.jobs
  WHERE job_id = ANY ($1) AND coalesce((config ->> 'start_offset')::interval > $2::interval, true)`;

const KEEP = 'SELECT remove_retention_policy($1::regclass, if_exists => true)';
const DROP = 'SELECT add_retention_policy($1::regclass, drop_after => $2::interval)';
const CHANGE = `
  SELECT alter_job(job_id, config => jsonb_set(config, '{drop_after}', to_jsonb(($2::interval)::text)))
  FROM timescaledb_information.jobs
  WHERE job_id = $1 AND (config ->> 'drop_after')::interval <> $2::interval`;

/**
 * @param retentionMs how long ticks and books are kept; 0 is for ever
 * @throws {MarketDataError} `CONFIG_INVALID` for a length that cannot be
 */
export function checkRetention(retentionMs: number | undefined): void {
  if (retentionMs === undefined || retentionMs === 0) return;
  if (Number.isSafeInteger(retentionMs) && retentionMs >= SHORTEST_MS) return;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `the retention of the hot store is ${retentionMs} ms: expected 0 (keep everything) or at least a day (24h)`,
  );
}

/** @throws {MarketDataError} `CONFIG_INVALID` when something is to be dropped: only TimescaleDB drops by itself */
export function refuseRetention(where: string, retentionMs: number | undefined): void {
  if (retentionMs === undefined || retentionMs === 0) return;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `database ${where} is plain PostgreSQL, which drops nothing by itself: set the retention to 0 and delete old rows ` +
      'yourself, or use TimescaleDB',
  );
}

/**
 * Brings the policies to what the setting says, all or none. Ticks and books are dropped, bars and Gaps are kept.
 *
 * @returns what was changed, in sentences
 */
export async function applyRetention(client: Client, retentionMs: number): Promise<readonly string[]> {
  await client.query('BEGIN');
  try {
    const changes = retentionMs === 0 ? await keepAll(client) : await dropAfter(client, retentionMs);
    await client.query('COMMIT');
    return changes;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function keepAll(client: Client): Promise<string[]> {
  const policies = (await readPolicies(client)).filter(({ kind }) => kind === 'retention');
  for (const { relation } of policies) await client.query(KEEP, [relation]);
  return policies.map(({ relation }) => `${relation}: nothing is dropped any more`);
}

async function dropAfter(client: Client, retentionMs: number): Promise<string[]> {
  const policies = await readPolicies(client);
  const refreshing = policies.filter(({ kind }) => kind === 'refresh').map(({ job }) => job);
  const window = interval(retentionMs - MARGIN_MS);
  const narrowed = await client.query(NARROW, [refreshing, window]);
  const changes = narrowed.rowCount ? [`bars: refreshed for trades at most ${window} old`] : [];
  const age = interval(retentionMs);
  for (const relation of HYPERTABLES) {
    const policy = policies.find((one) => one.kind === 'retention' && one.relation === relation);
    const changed = await (policy === undefined
      ? client.query(DROP, [relation, age])
      : client.query(CHANGE, [policy.job, age]));
    if (changed.rowCount) changes.push(`${relation}: dropped when ${age} old`);
  }
  return changes;
}

/** Hours and less, never days: a day of PostgreSQL is not always 24 hours. */
function interval(ms: number): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const seconds = (ms % 60_000) / 1000;
  return `${pad(Math.floor(ms / HOUR_MS))}:${pad(Math.floor((ms % HOUR_MS) / 60_000))}:${seconds < 10 ? '0' : ''}${seconds}`;
}
