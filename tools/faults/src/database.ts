import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@aipx/embedded-postgres';
import { migrate } from '@aipx/timescale';
import { Client } from 'pg';
import { SmallDisk } from './small-disk.ts';
import { placeOf } from './topics.ts';

export interface DatabaseOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onLog: (line: string) => void;
}

/** A connection that waits so long for a lock looks once whether it will ever get it. */
const DEADLOCK_TIMEOUT = '3s';

type ServerLines = EventEmitter<{ line: [string] }>;

/** The hot store's server, which can crash and start again at the same port. */
export class FaultyDatabase {
  readonly #options: DatabaseOptions;
  readonly #lines: ServerLines;
  #server: EmbeddedPostgres;
  #disk: SmallDisk | undefined;

  private constructor(server: EmbeddedPostgres, options: DatabaseOptions, lines: ServerLines) {
    this.#server = server;
    this.#options = options;
    this.#lines = lines;
  }

  static async open({ folder, signal, onLog }: DatabaseOptions): Promise<FaultyDatabase> {
    const lines: ServerLines = new EventEmitter();
    lines.on('line', onLog);
    const heard = (line: string) => void lines.emit('line', line);
    const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal, onLog: heard });
    const database = new FaultyDatabase(server, { folder, signal, onLog: heard }, lines);
    try {
      await migrate(server, { signal });
      await database.use(async (client) => {
        await client.query(
          `ALTER DATABASE ${client.escapeIdentifier(server.database)} SET deadlock_timeout = '${DEADLOCK_TIMEOUT}'`,
        );
        database.#disk = await SmallDisk.mount(join(folder, 'small-disk'), client, server.pid);
      });
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  get port(): number {
    return this.#server.port;
  }

  /** As the recorder's environment names them. */
  get settings(): Readonly<Record<string, string>> {
    const { host, user, password, database } = this.#server;
    return {
      TIMESCALEDB_HOST: host,
      TIMESCALEDB_USER: user,
      TIMESCALEDB_PASSWORD: password,
      TIMESCALEDB_DB: database,
    };
  }

  /** `undefined` where none may be mounted. */
  get disk(): SmallDisk | undefined {
    return this.#disk;
  }

  /** Whether its log says so from now on, within the time. */
  async says(what: string, withinMs: number): Promise<boolean> {
    const said = Promise.withResolvers<boolean>();
    const look = (line: string) => (line.includes(what) ? said.resolve(true) : undefined);
    this.#lines.on('line', look);
    const timer = setTimeout(() => said.resolve(false), withinMs);
    const isSaid = await said.promise;
    clearTimeout(timer);
    this.#lines.off('line', look);
    return isSaid;
  }

  /** Lends a connection of its own, past all proxies. */
  async use<Result>(action: (client: Client) => Promise<Result>): Promise<Result> {
    const { host, port, user, password, database } = this.#server;
    const client = new Client({ host, port, user, password, database, application_name: 'fault-run' });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await action(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** The next offset of each partition, by `topic/partition`. */
  async positions(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.use((client) =>
      client.query<{ topic: string; partition: number; next_offset: string }>(
        "SELECT topic, partition, next_offset FROM log_position WHERE sink = 'hot'",
      ),
    );
    return new Map(rows.map((row) => [placeOf(row.topic, row.partition), Number(row.next_offset)]));
  }

  /** Ends as if the power were cut: no checkpoint, no good-bye to anybody. */
  async crash(): Promise<void> {
    process.kill(this.#server.pid, 'SIGQUIT');
    await this.#server.ended;
    await this.#server.stop();
  }

  /** After a crash. */
  async start(): Promise<void> {
    const { folder, signal, onLog } = this.#options;
    const { port } = this.#server;
    this.#server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), port, signal, onLog });
  }

  /** Brings the trades to the folder of the others, so that whoever looks into it later finds all of them. */
  async bringTradesHome(): Promise<void> {
    await this.use((client) => client.query('ALTER TABLE tick_data SET TABLESPACE pg_default'));
  }

  async close(): Promise<void> {
    await this.#server.stop();
    await this.#disk?.unmount();
  }
}
