import type { Client } from 'pg';

/** A background job of TimescaleDB on one of our relations. Lengths are PostgreSQL interval texts. */
export interface Policy {
  readonly job: number;
  readonly kind: 'refresh' | 'columnstore' | 'retention';
  readonly relation: string;
  readonly every: string;
  /**
   * How long ago: of a refresh where its window begins (`undefined`: at the first trade), of the others the age from
   * which on a chunk is stored by column, or dropped.
   */
  readonly before: string | undefined;
  /** Of a refresh, how long ago its window ends. */
  readonly until: string | undefined;
  /** `Success` or `Failed`; `undefined` before the first run. */
  readonly lastRun: string | undefined;
  readonly lastSuccess: Date | undefined;
}

/** Some versions name the aggregate of a job, others the hypertable behind it. */
const READ = `
  SELECT j.job_id AS job, k.kind, coalesce(a.view_name, j.hypertable_name)::text AS relation,
    j.schedule_interval::text AS every, j.config ->> k.before AS before, j.config ->> 'end_offset' AS until,
    s.last_run_status AS "lastRun", nullif(s.last_successful_finish, '-infinity') AS "lastSuccess"
  FROM timescaledb_information.jobs j
  JOIN (VALUES
    ('policy_refresh_continuous_aggregate', 'refresh', 'start_offset'),
    ('policy_compression', 'columnstore', 'compress_after'),
    ('policy_retention', 'retention', 'drop_after')
  ) AS k (proc_name, kind, before) USING (proc_name)
  LEFT JOIN timescaledb_information.continuous_aggregates a
    ON j.hypertable_name IN (a.materialization_hypertable_name, a.view_name)
  LEFT JOIN timescaledb_information.job_stats s USING (job_id)
  WHERE coalesce(a.view_name, j.hypertable_name) = ANY ($1)
  ORDER BY j.job_id`;

export const HYPERTABLES = ['tick_data', 'orderbook'] as const;
const AGGREGATES = ['tick_1min', 'tick_5min', 'tick_1hour'] as const;

/** The policies as they stand, whoever set them. */
export async function readPolicies(client: Client): Promise<readonly Policy[]> {
  const { rows } = await client.query<PolicyRow>(READ, [[...HYPERTABLES, ...AGGREGATES]]);
  return rows.map(({ before, until, lastRun, lastSuccess, ...policy }) => ({
    ...policy,
    before: before ?? undefined,
    until: until ?? undefined,
    lastRun: lastRun ?? undefined,
    lastSuccess: lastSuccess ?? undefined,
  }));
}

type Absent = 'before' | 'until' | 'lastRun' | 'lastSuccess';
type PolicyRow = Omit<Policy, Absent> & { readonly [Key in Absent]: NonNullable<Policy[Key]> | null };
