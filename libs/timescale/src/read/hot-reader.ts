import type { OffsetRange, TopicPartition } from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import type { StoredPosition } from '@aipx/recording';
import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { databaseName, type DatabaseAddress } from '../database-address.js';
import { storeUnavailable } from '../database-error.js';
import { HOT_TABLES } from './hot-lines.js';

/** One stored row: where the log has it, and its fields as one text. */
export interface HotRowLine extends Omit<TopicPartition, 'topic'> {
  readonly offset: bigint;
  readonly line: string;
}

export interface HotRowFilter {
  /** Half open, ISO 8601 with its zone; an absent end is open. */
  readonly from?: string;
  readonly to?: string;
  /** Only rows of this partition. */
  readonly partition?: number;
  /** With `partition`: half open. */
  readonly offsets?: { readonly begin: bigint; readonly end: bigint };
  /** Only rows at or behind the end of their partition, and those of partitions that are not listed. At least one is. */
  readonly outside?: readonly { readonly partition: number; readonly end: bigint }[];
}

/** What makes a trade one and the same for the hot store. */
export interface TradeKey {
  readonly exchange: string;
  readonly symbol: string;
  readonly tradeId: string;
  /** ISO 8601, UTC, microseconds. */
  readonly time: string;
}

export interface StoredTrade {
  readonly partition: number;
  readonly offset: bigint;
  readonly price: string;
  readonly volume: string;
  readonly side: string | undefined;
}

export interface SqlResult {
  readonly columns: readonly string[];
  /** As PostgreSQL prints them: no digit is touched. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What the hot sink inserted of its own: stretches that the log let go before they were read. */
export interface RetentionGap {
  readonly partition: TopicPartition;
  readonly range: OffsetRange;
  /** Microseconds since 1970. */
  readonly time: bigint;
}

const SINK = 'hot';
const CONNECT_MS = 10_000;

/** Reads the hot store and changes nothing: every transaction is read only. One call at a time. */
export class HotReader implements AsyncDisposable {
  readonly #client: Client;
  readonly #name: string;

  private constructor(client: Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /**
   * @param signal cuts the connection, and with it whatever is under way
   * @throws {MarketDataError} `STORE_UNAVAILABLE`, as every method does for whatever the database says
   */
  static async open(address: DatabaseAddress, signal: AbortSignal): Promise<HotReader> {
    signal.throwIfAborted();
    const client = new Client({
      ...address,
      application_name: 'aipx-read',
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      options: '-c default_transaction_read_only=on -c timezone=UTC',
    });
    // A call under way fails too and reports it.
    client.on('error', () => undefined);
    const name = databaseName(address);
    signal.addEventListener('abort', () => void client.end(), { once: true });
    try {
      await client.connect();
    } catch (cause) {
      throw storeUnavailable(cause, name);
    }
    return new HotReader(client, name);
  }

  /** How far the hot sink has stored a partition; `undefined` for one that it never saw. */
  async position({ topic, partition }: TopicPartition): Promise<StoredPosition | undefined> {
    const { rows } = await this.#query(
      `SELECT log_id, next_offset::text, last_hash FROM log_position WHERE sink = $1 AND topic = $2 AND partition = $3`,
      [SINK, topic, partition],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const [logId, nextOffset, lastHash] = row;
    return { logId: logId ?? '', nextOffset: BigInt(nextOffset ?? 0), lastHash: lastHash ?? undefined };
  }

  /**
   * Every row of a kind in the order of the log, in lists of many. The fields of a line are parted by `FIELD_END`, one
   * that is NULL is `NULL_FIELD`; their order is that of `HOT_TABLES`. The server sorts, in its own temporary files.
   */
  async *rows(kind: MarketEvent['kind'], filter: HotRowFilter = {}): AsyncGenerator<readonly HotRowLine[]> {
    const { table, line, recorded } = HOT_TABLES[kind];
    const select =
      `SELECT log_partition, log_offset, ${line} FROM ${table} WHERE ${recorded}${conditions(kind, filter)} ` +
      'ORDER BY log_partition, log_offset';
    const stream = this.#client.query(copyTo(`COPY (${select}) TO STDOUT`));
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of stream) {
        const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        if (lines.length > 0) yield lines.map(rowOf);
      }
    } catch (cause) {
      throw storeUnavailable(cause, this.#name);
    }
  }

  /** The stored trade of each key, in the order asked for. */
  async trades(keys: readonly TradeKey[]): Promise<readonly (StoredTrade | undefined)[]> {
    const { rows } = await this.#query(
      `SELECT wanted.at, t.log_partition, t.log_offset, trim_scale(t.price), trim_scale(t.volume), t.side
       FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
         WITH ORDINALITY AS wanted (exchange, symbol, trade_id, time, at)
       CROSS JOIN LATERAL (
         SELECT * FROM tick_data t
         WHERE t.exchange = wanted.exchange AND t.symbol = wanted.symbol
           AND t.trade_id = wanted.trade_id AND t.time = wanted.time
         LIMIT 1
       ) t`,
      [
        keys.map(({ exchange }) => exchange),
        keys.map(({ symbol }) => symbol),
        keys.map(({ tradeId }) => tradeId),
        keys.map(({ time }) => time),
      ],
    );
    const found: (StoredTrade | undefined)[] = keys.map(() => undefined);
    for (const [at, partition, offset, price, volume, side] of rows) {
      found[Number(at) - 1] = {
        partition: Number(partition),
        offset: BigInt(offset ?? 0),
        price: price ?? '',
        volume: volume ?? '',
        side: side ?? undefined,
      };
    }
    return found;
  }

  async retentionGaps(topic: string): Promise<readonly RetentionGap[]> {
    const { rows } = await this.#query(
      `SELECT log_partition, said[1], said[2], (extract(epoch FROM to_time) * 1000000)::bigint
       FROM market_gap, regexp_match(detail, '^offsets (\\d+) to (\\d+) of ') AS said
       WHERE log_topic = $1 AND log_offset IS NULL AND said IS NOT NULL`,
      [topic],
    );
    return rows.map(([partition, first, last, time]) => ({
      partition: { topic, partition: Number(partition) },
      range: { begin: BigInt(first ?? 0), end: BigInt(last ?? 0) + 1n },
      time: BigInt(time ?? 0),
    }));
  }

  /** How old rows of a kind may grow, ms, by the database's own retention policy; `undefined` when it has none. */
  async retentionMs(kind: MarketEvent['kind']): Promise<number | undefined> {
    const { rows: extension } = await this.#query(`SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'`);
    if (extension.length === 0) return undefined;
    const { rows } = await this.#query(
      `SELECT (extract(epoch FROM (config->>'drop_after')::interval) * 1000)::bigint
       FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = $1`,
      [HOT_TABLES[kind].table],
    );
    const millis = rows[0]?.[0];
    return millis === undefined || millis === null ? undefined : Number(millis);
  }

  /** Whatever SQL asks for that changes nothing. */
  async query(sql: string, values: readonly unknown[] = []): Promise<SqlResult> {
    return await this.#query(sql, values);
  }

  /** Ends the connection, and with it whatever is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }

  async #query(text: string, values: readonly unknown[] = []): Promise<SqlResult> {
    try {
      const result = await this.#client.query<(string | null)[]>({
        text,
        values: [...values],
        rowMode: 'array',
        types: { getTypeParser: () => (raw: string) => raw },
      });
      return { columns: result.fields.map(({ name }) => name), rows: result.rows };
    } catch (cause) {
      throw storeUnavailable(cause, this.#name);
    }
  }
}

function rowOf(text: string): HotRowLine {
  const first = text.indexOf('\t');
  const second = text.indexOf('\t', first + 1);
  return {
    partition: Number(text.slice(0, first)),
    offset: BigInt(text.slice(first + 1, second)),
    line: unescaped(text.slice(second + 1)),
  };
}

/** https://www.postgresql.org/docs/current/sql-copy.html, "Text Format": hardly any text has something escaped. */
function unescaped(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter) : text;
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function conditions(kind: MarketEvent['kind'], { from, to, partition, offsets, outside }: HotRowFilter): string {
  const place = partition === undefined ? '' : ` AND log_partition = ${partition}`;
  const range = offsets === undefined ? '' : ` AND log_offset >= ${offsets.begin} AND log_offset < ${offsets.end}`;
  return `${place}${range}${between(HOT_TABLES[kind].time, from, to)}${notWithin(outside)}`;
}

function notWithin(partitions: HotRowFilter['outside']): string {
  if (partitions === undefined) return '';
  const ends = partitions.map(({ partition, end }) => `(${partition}, ${end}::bigint)`);
  return (
    ` AND NOT EXISTS (SELECT FROM (VALUES ${ends.join(', ')}) AS log (partition, log_end)` +
    ' WHERE partition = log_partition AND log_offset < log_end)'
  );
}

function between(column: string, from: string | undefined, to: string | undefined): string {
  const since = from === undefined ? '' : ` AND ${column} >= ${literal(from)}`;
  return `${since}${to === undefined ? '' : ` AND ${column} < ${literal(to)}`}`;
}

function literal(time: string): string {
  return `'${time.replaceAll("'", "''")}'::timestamptz`;
}
