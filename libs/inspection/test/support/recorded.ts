import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog, LogEntry } from '@aipx/event-log';
import { FolderObjectStore, type ObjectStore } from '@aipx/lake';
import { HotReader, type DatabaseAddress } from '@aipx/timescale';
import { hotDatabase, testLog, type TestDatabase } from '@aipx/timescale/testing';
import { onTestFinished } from 'vitest';
import type { LakeSource } from '../../src/lake-files.js';
import { record } from '../../src/testing/index.js';
import type { Finding } from '../../src/verify/findings.js';
import { verify, type VerifyOptions, type VerifyResult } from '../../src/verify/verify.js';

const PREFIX = 'market-data';
const TIME_LIMIT_MS = 60_000;

/** A log and what both recorders stored of it, as they do in production. */
export interface Recorded extends TestDatabase {
  readonly log: EventLog;
  /** The lake's folder, where it has one. */
  readonly root: string;
  check(options?: Partial<VerifyOptions>): Promise<Checked>;
}

export interface Checked extends VerifyResult {
  readonly found: readonly Finding[];
}

export interface RecordOptions {
  /** @default an embedded log of this test */
  readonly log?: EventLog;
  /** @default a folder of this test */
  readonly objects?: ObjectStore;
  /** Rows of a lake batch. @default 50 */
  readonly batchRows?: number;
}

/** Appends the entries and records them. All of it goes when the test is over. */
export async function recorded(entries: readonly LogEntry[], options: RecordOptions = {}): Promise<Recorded> {
  const root = await tempFolder();
  const log = options.log ?? (await testLog());
  const { address, sql } = await hotDatabase();
  const objects = options.objects ?? (await FolderObjectStore.open(root));
  await log.append(entries);
  await record(log, address, objects, { batchRows: options.batchRows ?? 50 });
  const lake: LakeSource = { objects, prefix: PREFIX, ...(options.objects === undefined && { root }) };
  return { log, address, root, sql, check: (changes) => check(log, address, lake, changes) };
}

async function check(
  log: EventLog,
  address: DatabaseAddress,
  lake: LakeSource,
  changes: Partial<VerifyOptions> = {},
): Promise<Checked> {
  const found: Finding[] = [];
  const result = await verify({
    log,
    openDatabase: () => HotReader.open(address, new AbortController().signal),
    lake,
    range: {},
    waitMs: 0,
    onFinding: (finding) => void found.push(finding),
    onProgress: () => undefined,
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
    ...changes,
  });
  return { ...result, found };
}

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-inspection-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
