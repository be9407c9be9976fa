import { join } from 'node:path';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
let eslint: ESLint;

beforeAll(() => {
  // The rules under test need no types; without them a file that does not exist can be linted.
  const untyped = Object.fromEntries(
    ['switch-exhaustiveness-check', 'no-floating-promises', 'no-misused-promises', 'await-thenable'].map((rule) => [
      `@typescript-eslint/${rule}`,
      'off' as const,
    ]),
  );
  eslint = new ESLint({
    cwd: root,
    overrideConfig: [{ languageOptions: { parserOptions: { projectService: false } }, rules: untyped }],
  });
});

/** The rules that a one-line file at `path` breaks, unused names aside. */
async function broken(path: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: join(root, path) });
  const rules = result?.messages.map((message) => message.ruleId ?? message.message) ?? [];
  return rules.filter((rule) => rule !== '@typescript-eslint/no-unused-vars');
}

const BOUNDARY = '@nx/enforce-module-boundaries';
const IMPORT = 'no-restricted-imports';
const DYNAMIC = 'no-restricted-syntax';
const GLOBAL = 'no-restricted-globals';
const PROPERTY = 'no-restricted-properties';

describe('a forbidden import of each kind fails lint', () => {
  it.each([
    ['the model imports nothing', 'libs/market-model/src/x.ts', `import { venues } from '@aipx/venue';`, BOUNDARY],
    ['the model has no I/O', 'libs/market-model/src/x.ts', `import { readFileSync } from 'node:fs';`, IMPORT],
    ['proto imports only the model', 'libs/market-proto/src/x.ts', `import { x } from '@aipx/event-log';`, BOUNDARY],
    ['a venue imports no log', 'libs/venues/upbit/src/x.ts', `import { x } from '@aipx/event-log';`, BOUNDARY],
    ['a venue imports no sink', 'libs/venues/upbit/src/x.ts', `import { x } from '@aipx/lake';`, BOUNDARY],
    ['a venue imports no Protobuf', 'libs/venues/upbit/src/x.ts', `import { x } from '@aipx/market-proto';`, BOUNDARY],
    [
      'a pipeline gets venues as values',
      'libs/ingestion/src/x.ts',
      `import { x } from '@aipx/venue-registry';`,
      BOUNDARY,
    ],
    ['a pipeline knows no venue', 'libs/ingestion/src/x.ts', `import { x } from '@aipx/venue-upbit';`, BOUNDARY],
    ['a pipeline gets sinks as values', 'libs/recording/src/x.ts', `import { x } from '@aipx/timescale';`, BOUNDARY],
    ['a sink starts no server', 'libs/timescale/src/x.ts', `import { x } from '@aipx/embedded-postgres';`, BOUNDARY],
    ['a sink knows no other sink', 'libs/lake/src/x.ts', `import { x } from '@aipx/timescale';`, BOUNDARY],
    ['a venue is given its keys', 'libs/venues/kis/src/x.ts', `import { x } from '@aipx/kis-auth';`, BOUNDARY],
    [
      'the registry knows no pipeline',
      'libs/venues/registry/src/x.ts',
      `import { x } from '@aipx/ingestion';`,
      BOUNDARY,
    ],
    ['only apps import the registry', 'libs/service/src/x.ts', `import { x } from '@aipx/venue-registry';`, BOUNDARY],
    [
      'an app goes through the registry',
      'apps/standalone/src/x.ts',
      `import { x } from '@aipx/venue-upbit';`,
      BOUNDARY,
    ],
    ['libs import no app', 'libs/service/src/x.ts', `import { x } from '@aipx/standalone';`, BOUNDARY],
    [
      'a lib is imported by its name',
      'libs/recording/src/x.ts',
      `import { x } from '../../event-log/src/index.js';`,
      BOUNDARY,
    ],
    [
      'a simulator shares no code with its driver',
      'libs/venues/upbit/src/simulator/x.ts',
      `import { x } from '../index.js';`,
      IMPORT,
    ],
    ['pg belongs to timescale', 'libs/recording/src/x.ts', `import pg from 'pg';`, IMPORT],
    ['ws belongs to client and simulator', 'libs/ingestion/src/x.ts', `import { WebSocket } from 'ws';`, IMPORT],
    [
      'the Parquet writer belongs to the lake',
      'libs/timescale/src/x.ts',
      `import { x } from 'hyparquet-writer';`,
      IMPORT,
    ],
    [
      'the S3 client belongs to the lake',
      'apps/standalone/src/x.ts',
      `import { S3Client } from '@aws-sdk/client-s3';`,
      IMPORT,
    ],
    [
      'DuckDB belongs to the inspection',
      'apps/aipx/src/x.ts',
      `import { DuckDBInstance } from '@duckdb/node-api';`,
      IMPORT,
    ],
    [
      'SQLite belongs to the event log',
      'libs/recording/src/x.ts',
      `import { DatabaseSync } from 'node:sqlite';`,
      IMPORT,
    ],
    ['Redis belongs to the keys of KIS', 'libs/ingestion/src/x.ts', `import { Redis } from 'ioredis';`, IMPORT],
    ['settings are read in service', 'libs/recording/src/x.ts', `export const x = process.env['X'];`, PROPERTY],
    ['a mapper has no clock', 'libs/venues/upbit/src/x.ts', `export const x = Date.now();`, GLOBAL],
    ['a mapper has no random source', 'libs/venues/upbit/src/x.ts', `export const x = Math.random();`, PROPERTY],
    ['the model has no I/O by a bare name', 'libs/market-model/src/x.ts', `import { readFileSync } from 'fs';`, IMPORT],
    [
      'the model has no I/O by a dynamic import',
      'libs/market-model/src/x.ts',
      `export const x = import('node:fs');`,
      DYNAMIC,
    ],
    ['a driver has no I/O', 'libs/venues/upbit/src/x.ts', `import { readFileSync } from 'node:fs';`, IMPORT],
    [
      'a driver has no I/O by a bare name',
      'libs/venues/upbit/src/x.ts',
      `import { readFile } from 'fs/promises';`,
      IMPORT,
    ],
    [
      'a driver has no I/O by a dynamic import',
      'libs/venues/upbit/src/x.ts',
      `export const x = import('crypto');`,
      DYNAMIC,
    ],
    ['a driver imports no process', 'libs/venues/upbit/src/x.ts', `import { hrtime } from 'process';`, IMPORT],
    [
      'a simulator imports no file of its driver from the folder above',
      'libs/venues/upbit/src/simulator/x.ts',
      `import { x } from '..';`,
      IMPORT,
    ],
    [
      'a simulator imports no file of its driver by a detour',
      'libs/venues/upbit/src/simulator/x.ts',
      `import { x } from './../../test/x.js';`,
      IMPORT,
    ],
    [
      'a simulator imports no venue by its name',
      'libs/venues/upbit/src/simulator/x.ts',
      `import { x } from '@aipx/venue-upbit';`,
      IMPORT,
    ],
    [
      'a simulator imports no venue by its name on demand',
      'libs/venues/upbit/src/simulator/x.ts',
      `export const x = import('@aipx/venue-upbit');`,
      DYNAMIC,
    ],
    [
      'a simulator loads no file of its driver',
      'libs/venues/upbit/src/simulator/x.ts',
      `export const x = import('../index.js');`,
      DYNAMIC,
    ],
    ['a part of pg belongs to timescale', 'libs/recording/src/x.ts', `import client from 'pg/lib/client.js';`, IMPORT],
    ['a simulator owns no package', 'libs/venues/upbit/src/simulator/x.ts', `import { WebSocket } from 'ws';`, IMPORT],
    ['pg is not loaded on demand elsewhere', 'libs/recording/src/x.ts', `export const x = import('pg');`, DYNAMIC],
    [
      'a part of pg is not loaded on demand elsewhere',
      'libs/recording/src/x.ts',
      `export const x = import('pg/lib/client.js');`,
      DYNAMIC,
    ],
    [
      'a module loaded on demand is named',
      'libs/recording/src/x.ts',
      `export const x = (name: string) => import(name);`,
      DYNAMIC,
    ],
    ['an owner of one package owns no other', 'libs/lake/src/x.ts', `export const x = import('pg');`, DYNAMIC],
    ['settings are not imported', 'libs/recording/src/x.ts', `import { env } from 'node:process';`, IMPORT],
    ['settings are not imported by a bare name', 'apps/standalone/src/x.ts', `import process from 'process';`, IMPORT],
    ['a mapper has no settings', 'libs/venues/upbit/src/x.ts', `export const x = process.env['X'];`, GLOBAL],
    [
      'a mapper has no Temporal clock',
      'libs/venues/upbit/src/x.ts',
      `export const x = Temporal.Now.instant();`,
      PROPERTY,
    ],
    [
      'a mapper has no monotonic clock',
      'libs/venues/upbit/src/x.ts',
      `export const x = process.hrtime.bigint();`,
      GLOBAL,
    ],
    ['a mapper has no performance clock', 'libs/venues/upbit/src/x.ts', `export const x = performance.now();`, GLOBAL],
    [
      'a mapper has no cryptographic random source',
      'libs/venues/upbit/src/x.ts',
      `export const x = crypto.randomUUID();`,
      GLOBAL,
    ],
    [
      'a mapper has no random source by way of globalThis',
      'libs/venues/upbit/src/x.ts',
      `export const x = globalThis.crypto.randomUUID();`,
      GLOBAL,
    ],
    [
      'a mapper has no clock by way of globalThis',
      'libs/venues/upbit/src/x.ts',
      `export const x = globalThis.Date.now();`,
      GLOBAL,
    ],
    ['the model has no clock', 'libs/market-model/src/x.ts', `export const x = Temporal.Now.instant();`, PROPERTY],
    [
      'the model has no random source',
      'libs/market-model/src/x.ts',
      `export const x = globalThis.crypto.randomUUID();`,
      GLOBAL,
    ],
  ])('%s', async (_, path, code, rule) => {
    expect(await broken(path, code)).toContain(rule);
  });
});

describe('what the design allows passes', () => {
  it.each([
    [
      'a venue imports model and contract',
      'libs/venues/upbit/src/x.ts',
      `export { parseDecimal } from '@aipx/market-model';\nexport type { VenueDriver } from '@aipx/venue';`,
    ],
    ['timescale imports pg', 'libs/timescale/src/x.ts', `export { default } from 'pg';`],
    [
      'what a lib has for tests starts a server',
      'libs/timescale/src/testing/x.ts',
      `export { startEmbeddedPostgres } from '@aipx/embedded-postgres';`,
    ],
    ['the client imports ws', 'libs/websocket-client/src/x.ts', `export { WebSocket } from 'ws';`],
    [
      'the registry opens venues with keys and settings',
      'libs/venues/registry/src/x.ts',
      `export { KisAuth } from '@aipx/kis-auth';\nexport { sharedKis } from '@aipx/service';\nexport { join } from 'node:path';\nexport const now = Date.now();`,
    ],
    ['an app imports the registry', 'apps/standalone/src/x.ts', `export { venues } from '@aipx/venue-registry';`],
    ['service reads settings', 'libs/service/src/x.ts', `export const x = process.env['X'];`],
    [
      'a venue loads its simulator on demand',
      'libs/venues/upbit/src/x.ts',
      `export const x = async () => import('./simulator/index.js');`,
    ],
    ['timescale loads pg on demand', 'libs/timescale/src/x.ts', `export const x = import('pg');`],
    ['a package whose name begins alike is no part of it', 'libs/recording/src/x.ts', `export { x } from 'pg-other';`],
    [
      'a simulator imports the contract',
      'libs/venues/upbit/src/simulator/x.ts',
      `export type { SimulatedVenue } from '@aipx/venue/simulation';\nexport { y } from './y.js';`,
    ],
    ['a simulator has a clock', 'libs/venues/upbit/src/simulator/x.ts', `export const x = Date.now();`],
  ])('%s', async (_, path, code) => {
    expect(await broken(path, code)).toEqual([]);
  });
});
