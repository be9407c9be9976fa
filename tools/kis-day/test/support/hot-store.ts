import type { EventLog } from '@aipx/event-log';
import { HotRecorder, RecordingPipeline } from '@aipx/recording';
import { TimescaleStore } from '@aipx/timescale';
import { hotDatabase, TOPICS } from '@aipx/timescale/testing';
import { onTestFinished } from 'vitest';

export interface StoredTrade {
  readonly symbol: string;
  readonly id: string;
  /** Price, volume, side and time. */
  readonly content: string;
  /** Microseconds since the epoch, by our clock. */
  readonly receivedAt: number;
}

/** A stretch of which the database says that trades are missing in it. */
export interface StoredGap {
  readonly symbol: string;
  readonly volume: number;
  /** Microseconds since the epoch: when the trade came that showed it. */
  readonly to: number;
}

/** The hot store of a test behind a log, filled as the log grows. */
export class HotDatabase {
  readonly #sql: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly #pipeline: RecordingPipeline;

  private constructor(sql: HotDatabase['query'], pipeline: RecordingPipeline) {
    this.#sql = sql;
    this.#pipeline = pipeline;
  }

  static async behind(log: EventLog): Promise<HotDatabase> {
    const { address, sql } = await hotDatabase();
    const store = new TimescaleStore(address);
    onTestFinished(() => store.close());
    const stopping = new AbortController();
    const recorder = new HotRecorder({ log, store, signal: stopping.signal });
    const pipeline = new RecordingPipeline({ log, recorder, group: 'hot', topics: TOPICS });
    const running = pipeline.run(stopping.signal);
    onTestFinished(async () => {
      stopping.abort();
      await running;
    });
    await pipeline.ready(AbortSignal.timeout(10_000));
    return new HotDatabase(sql, pipeline);
  }

  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.#sql(text);
  }

  /** Everything that is in the log is stored. */
  drained(): Promise<void> {
    return this.#pipeline.drain(AbortSignal.timeout(600_000));
  }

  async trades(): Promise<readonly StoredTrade[]> {
    const rows = await this.#sql(TRADES);
    return rows.map(({ symbol, id, content, received }) => ({
      symbol: String(symbol),
      id: String(id),
      content: String(content),
      receivedAt: Number(received),
    }));
  }

  /** What the volumes show to be missing, in the order in which it was seen. */
  async gaps(): Promise<readonly StoredGap[]> {
    const rows = await this.#sql(GAPS);
    return rows.map(({ symbol, volume, at }) => ({ symbol: String(symbol), volume: Number(volume), to: Number(at) }));
  }

  /** How many gaps there are, by cause. */
  async causes(): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#sql('SELECT cause, count(*)::int AS count FROM market_gap GROUP BY cause');
    return Object.fromEntries(rows.map(({ cause, count }) => [String(cause), Number(count)]));
  }

  /** Trades whose volume does not follow that of the trade before, or that do not begin a day at 0. */
  breaks(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.#sql(BREAKS);
  }
}

const TRADES = `
  SELECT symbol, trade_id AS id, (extract(epoch FROM received_at) * 1000000)::bigint AS received,
         concat_ws(' ', price, volume, coalesce(side, '-'),
                   to_char(time AT TIME ZONE 'Asia/Seoul', 'YYYYMMDDHH24MISS')) AS content
    FROM tick_data WHERE exchange = 'kis'`;
const GAPS = `
  SELECT symbol, missed_volume AS volume, (extract(epoch FROM to_time) * 1000000)::bigint AS at
    FROM market_gap WHERE cause = 'SEQUENCE' ORDER BY log_partition, log_offset`;
const BREAKS = `
  WITH traded AS (
    SELECT symbol, trade_id, volume, split_part(trade_id, '-', 2) AS day, split_part(trade_id, '-', 3)::numeric AS through
      FROM tick_data),
  steps AS (
    SELECT *, coalesce(lag(through) OVER (PARTITION BY symbol, day ORDER BY through), 0) AS before FROM traded)
  SELECT symbol, trade_id, volume, before FROM steps WHERE before + volume <> through`;
