import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import {
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { DuckDbRound, DuckDbTask } from './cold.ts';

// DuckDB with rows that lie ready in memory: the appender, then COPY to Parquet. A process of its own, so that the heap
// that holds the rows is not the recorder's.

const [task] = (await once(process, 'message')) as [DuckDbTask];
process.on('disconnect', () => process.exit());

const connection = await (await DuckDBInstance.create(':memory:')).connect();
const source = `read_parquet('${task.files}', hive_partitioning = false)`;
const { types, chunks } = await readyRows();
process.on('message', () => {
  void round().then((result) => process.send?.(result));
});
process.send?.('ready');

/** By columns and in pieces of DuckDB's own size: the fastest form that its appender takes. */
async function readyRows(): Promise<{
  readonly types: readonly DuckDBType[];
  readonly chunks: readonly (readonly (readonly DuckDBValue[])[])[];
}> {
  const result = await connection.stream(`SELECT * FROM ${source} ORDER BY log_offset`);
  const read = await result.fetchAllChunks();
  return { types: result.columnTypes(), chunks: read.map((chunk) => chunk.getColumns()) };
}

async function round(): Promise<DuckDbRound> {
  await connection.run(`CREATE OR REPLACE TABLE rows AS FROM ${source} LIMIT 0`);
  const begunAt = performance.now();
  await append(connection);
  const appendedAt = performance.now();
  await connection.run(
    `COPY rows TO '${task.out}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${task.rowGroupRows})`,
  );
  const copiedAt = performance.now();
  return {
    appendMs: appendedAt - begunAt,
    copyMs: copiedAt - appendedAt,
    bytes: (await stat(task.out)).size,
    rows: await countOf(`'${task.out}'`),
    differences:
      (await countOf(`(FROM '${task.out}' EXCEPT ALL FROM ${source})`)) +
      (await countOf(`(FROM ${source} EXCEPT ALL FROM '${task.out}')`)),
  };
}

async function append(to: DuckDBConnection): Promise<void> {
  const appender = await to.createAppender('rows');
  for (const columns of chunks) {
    const chunk = DuckDBDataChunk.create(types, columns[0]?.length ?? 0);
    chunk.setColumns(columns);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

async function countOf(rows: string): Promise<number> {
  const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${rows}`);
  return Number(reader.getRows()[0]?.[0]);
}
