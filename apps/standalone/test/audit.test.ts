import { execFile } from 'node:child_process';
import { cp, readdir, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { App, temporaryFolder } from './support/app.js';
import { writeMixedRecording } from './support/kis-recording.js';

const AUDITOR = join(import.meta.dirname, '..', '..', '..', 'tools', 'audit', 'src', 'main.ts');
const folder = temporaryFolder();
const recording = writeMixedRecording(folder.path, 1_500);
let app: App;
let databaseUrl: string;
let lakeDir: string;

beforeAll(async () => {
  app = new App(['--frames', recording.path, '--speed', 'max', '--hold', '--data-dir', join(folder.path, 'data')]);
  const ready = await app.next('ready');
  databaseUrl = String(ready['database_url']);
  lakeDir = String(ready['lake_dir']);
  expect(await app.next('summary')).toMatchObject({ ok: true });
});

afterAll(async () => {
  app.signal('SIGTERM');
  await app.outcome;
  folder.remove();
});

/** The independent auditor's last line, and its exit code. */
async function audit(lake = lakeDir): Promise<{ code: number; verdict: string; output: string }> {
  const args = [AUDITOR, '--frames', recording.path, '--database-url', databaseUrl, '--lake-dir', lake];
  const run = await promisify(execFile)(process.execPath, args).catch(
    (error: { code: number; stdout: string }) => error,
  );
  return {
    code: 'code' in run ? run.code : 0,
    verdict: run.stdout.trim().split('\n').at(-1) ?? '',
    output: run.stdout,
  };
}

async function change(statement: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  expect((await client.query(statement)).rowCount).toBe(1);
  await client.end();
}

it('an auditor that shares no code finds every price, size and id equal in the database and in the lake', async () => {
  expect(await audit()).toMatchObject({
    code: 0,
    verdict: 'every trade and book is stored once, every number is equal',
  });
});

it('and it would say so if one digit, one row or one level were not', async () => {
  const first = '(SELECT log_offset FROM tick_data ORDER BY log_offset LIMIT 1)';
  await change(`UPDATE tick_data SET price = price + 0.00000001 WHERE log_offset = ${first}`);
  expect(await audit()).toMatchObject({ code: 1, verdict: '1 differences' });
  await change(
    `UPDATE orderbook
        SET bids = jsonb_set(bids, '{1,quantity}', to_jsonb(((bids->1->>'quantity')::numeric + 0.00000001)::text))
      WHERE log_offset = (SELECT min(log_offset) FROM orderbook)`,
  );
  const changed = await audit();
  expect(changed).toMatchObject({ code: 1, verdict: '2 differences' });
  expect(changed.output).toMatch(/database (upbit|kis): different: book of/);
  await change(`DELETE FROM tick_data WHERE log_offset = ${first}`);
  const removed = await audit();
  expect(removed).toMatchObject({ code: 1, verdict: '2 differences' });
  expect(removed.output).toMatch(/database (upbit|kis): missing: trade/);
});

it.each([
  ['tick', /lake (upbit|kis): missing: trade/],
  ['orderbook', /lake (upbit|kis): missing: book of/],
])('and it would say so if one %s file of the lake were gone', async (kind, finding) => {
  const copy = join(folder.path, `lake-without-${kind}`);
  await cp(lakeDir, copy, { recursive: true });
  // The last one: behind it no book of its symbol is left to be taken for the missing ones.
  const last = (await readdir(copy, { recursive: true }))
    .filter((path) => path.endsWith('.parquet') && path.split(sep).includes(kind))
    .toSorted()
    .at(-1);
  await rm(join(copy, last ?? 'no file'));
  const { code, output } = await audit(copy);
  expect(code).toBe(1);
  expect(output).toMatch(finding);
});
