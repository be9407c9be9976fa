import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import type { EventLog } from '@aipx/event-log';
import type { Channel } from '@aipx/market-model';
import { HotRecorder } from '@aipx/recording';
import { migrate, TimescaleStore, type DatabaseAddress } from '@aipx/timescale';
import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { CHANNELS, figure, type Figure } from '../figures.ts';
import { appendAll, openLog } from '../log.ts';
import { inRounds, recordsPerSecond, type Bench } from '../measure.ts';
import { expectStored, Recording } from '../recorders.ts';
import { findCopyProgram, type CopyProgram } from './copy-program.ts';

const TABLES = { tick: 'tick_data', orderbook: 'orderbook' } as const;
/** The recorder's settings that are compared, by the partitions of the log that they make sense for. */
const LAYOUTS = [
  { partitions: 1, writers: [1] },
  { partitions: 6, writers: [1, 2] },
] as const;

export interface HotMeasurement {
  /** What ours was compared with. */
  readonly copyProgram: string;
  readonly figures: readonly Figure[];
}

/** From the log into a PostgreSQL server, beside a plain COPY of the same rows into the same empty table. */
export async function measureHot(bench: Bench): Promise<HotMeasurement> {
  const { folder, signal } = bench;
  await using opened = new AsyncDisposableStack();
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal });
  opened.defer(() => postgres.stop());
  await migrate(postgres, { signal });
  const tables = opened.use(await Tables.open(postgres));
  const copyProgram = await findCopyProgram(postgres);

  const figures: Figure[] = [];
  for (const { partitions, writers } of LAYOUTS) {
    const home = join(folder, `partitions-${partitions}`);
    await mkdir(home);
    await using log = await filledLog(bench, home, partitions);
    for (const of of CHANNELS) {
      const stage = { bench, log: log.log, postgres, tables, copyProgram, file: join(home, `${of}.txt`) };
      figures.push(...(await compare(stage, of, { partitions, writers })));
    }
  }
  return { copyProgram: copyProgram.name, figures };
}

interface Stage {
  readonly bench: Bench;
  readonly log: EventLog;
  readonly postgres: DatabaseAddress;
  readonly tables: Tables;
  readonly copyProgram: CopyProgram;
  /** For the rows as COPY text. */
  readonly file: string;
}

/** Each number of writers, then the COPY, and so on in rounds: a machine that is slow for a while is slow for all. */
async function compare(
  stage: Stage,
  of: Channel,
  { partitions, writers }: { readonly partitions: number; readonly writers: readonly number[] },
): Promise<readonly Figure[]> {
  const { bench, tables, copyProgram, file } = stage;
  const samples = await inRounds(bench, async () => {
    const round: Record<string, number> = {};
    for (const count of writers) round[String(count)] = await recordOnce(stage, of, count);
    await tables.save(of, file); // what the recorder has just stored
    await tables.empty();
    const records = bench.effort.records[of];
    round['copy'] = (records * 1_000) / (await copyProgram.copy(TABLES[of], file));
    expectStored(of, await tables.rows(of), records);
    return round;
  });
  const copied = samples['copy'] ?? [];
  const named = (what: string) => ({ group: 'hot', of, what: `${counted(partitions, 'partition')}, ${what}` }) as const;
  return [
    ...writers.flatMap((count) => {
      const rates = samples[String(count)] ?? [];
      const ratios = rates.map((rate, round) => rate / (copied[round] ?? Number.NaN));
      return [
        figure({ ...named(counted(count, 'writer')), unit: 'rows/s' }, rates),
        figure({ ...named(`${counted(count, 'writer')} beside COPY`), unit: 'ratio' }, ratios),
      ];
    }),
    figure({ ...named('COPY of the same rows'), unit: 'rows/s' }, copied),
  ];
}

async function recordOnce({ bench, log, postgres, tables }: Stage, of: Channel, writers: number): Promise<number> {
  const records = bench.effort.records[of];
  await tables.empty();
  await using opened = new AsyncDisposableStack();
  const store = opened.adopt(new TimescaleStore(postgres), (connected) => connected.close());
  await using run = new Recording(log, of, bench.signal, (options) => new HotRecorder({ ...options, store, writers }));
  const rate = await recordsPerSecond(records, () => run.catchUp());
  expectStored(of, await tables.rows(of), records);
  return rate;
}

async function filledLog(
  { input, effort, signal }: Bench,
  folder: string,
  partitions: number,
): Promise<AsyncDisposable & { readonly log: EventLog }> {
  const log = await openLog(folder, signal, partitions);
  for (const of of CHANNELS) await appendAll(log, input.entries(of, effort.records[of]));
  return { log, [Symbol.asyncDispose]: () => log.close() };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** The tables of the hot store, past the store. */
class Tables implements AsyncDisposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(address: DatabaseAddress): Promise<Tables> {
    const client = new Client({ ...address });
    await client.connect();
    return new Tables(client);
  }

  /** Positions too, so that the next recorder begins anew. What the server still owes the disk is not the next one's. */
  async empty(): Promise<void> {
    await this.#client.query('TRUNCATE tick_data, orderbook, market_gap, log_position');
    await this.#client.query('CHECKPOINT');
  }

  async rows(of: Channel): Promise<number> {
    const { rows } = await this.#client.query<{ count: string }>(`SELECT count(*) FROM ${TABLES[of]}`);
    return Number(rows[0]?.count);
  }

  /** As COPY text, in the order in which they were stored. */
  async save(of: Channel, file: string): Promise<void> {
    const rows = this.#client.query(copyTo(`COPY (SELECT * FROM ${TABLES[of]} ORDER BY ctid) TO STDOUT`));
    await pipeline(rows, createWriteStream(file));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
