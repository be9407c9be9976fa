import type { EventLog, OffsetRange } from '@aipx/event-log';
import { LakeCatalog } from '@aipx/lake';
import { toIsoText } from '@aipx/market-model';
import { kindOfTopic } from '@aipx/market-proto';
import type { HotReader, RetentionGap } from '@aipx/timescale';
import { DuckDb } from '../duckdb.js';
import { LakeFiles, type LakeSource } from '../lake-files.js';
import { DatabaseRows } from './database-rows.js';
import { DeadLetters } from './dead-letters.js';
import type { Finding, Store } from './findings.js';
import { findForeignFiles } from './foreign-files.js';
import { findForeignRows } from './foreign-rows.js';
import { LakeWindow } from './lake-window.js';
import { LogCursor } from './log-cursor.js';
import { PartitionCheck, type PartitionCheckOptions } from './partition-check.js';
import { RetiredOffsets } from './retired-offsets.js';
import { RowCursor } from './row-cursor.js';
import { findScope, type PartitionScope, type VerifyRange } from './scope.js';
import { Tally, type Counts, type HourCounts } from './tally.js';
import { VenueRepeats } from './venue-repeats.js';
import { windowsOf, type Window } from './windows.js';

export interface VerifyOptions {
  readonly log: EventLog;
  /**
   * Opens the log again, with the partitions that were added since; whoever gives it closes it. Absent: the log has none
   * but those that it had when it was opened.
   */
  readonly reopenLog?: () => Promise<EventLog>;
  /** Connects to the database; each connection is closed when it has done its part. Absent: it is not compared. */
  readonly openDatabase?: () => Promise<HotReader>;
  /** Absent: the lake is not compared. */
  readonly lake?: LakeSource;
  readonly range: VerifyRange;
  /** How long the stores may take to reach the log's present end, ms. 0: what they have is compared. */
  readonly waitMs: number;
  /** Age beyond which rows may be gone from the database, ms. @default the policies of the database */
  readonly databaseRetentionMs?: number;
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface Progress {
  readonly topic: string;
  readonly partition: number;
  /** Offsets of all partitions. */
  readonly done: bigint;
  readonly total: bigint;
}

export interface VerifyResult {
  readonly hours: readonly HourCounts[];
  readonly total: Counts;
  readonly scopes: readonly PartitionScope[];
  /** Findings of all kinds. */
  readonly findings: number;
}

/**
 * Compares log, database and lake, record by record.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for a range that cannot be, `STORE_LOG_MISMATCH`, and whatever log or
 * stores say when they are away or damaged: then nothing is known
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  await using database = await options.openDatabase?.();
  await using duckdb = await DuckDb.open(options.signal);
  return await new Verification(options, duckdb, database).run();
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #duckdb: DuckDb;
  /** For single questions; whole tables come by connections of their own. */
  readonly #database: HotReader | undefined;
  readonly #catalog: LakeCatalog | undefined;
  readonly #files: LakeFiles | undefined;
  readonly #stores: ReadonlySet<Store>;
  readonly #tally = new Tally();
  readonly #repeats: VenueRepeats | undefined;
  #findings = 0;
  #done = 0n;
  #total = 0n;

  constructor(options: VerifyOptions, duckdb: DuckDb, database: HotReader | undefined) {
    const { lake } = options;
    this.#options = options;
    this.#duckdb = duckdb;
    this.#database = database;
    this.#catalog = lake && new LakeCatalog(lake.objects, lake.prefix);
    this.#files = lake && new LakeFiles(lake, duckdb.folder);
    this.#stores = new Set([...(database ? ['database' as const] : []), ...(lake ? ['lake' as const] : [])]);
    this.#repeats = database && new VenueRepeats(database);
  }

  async run(): Promise<VerifyResult> {
    const { log, range, waitMs, signal } = this.#options;
    const parts = { log, database: this.#database, lake: this.#catalog };
    const scopes = await findScope(parts, range, waitMs, signal);
    const letters = await DeadLetters.read(log, signal);
    this.#total = scopes.reduce((sum, { compared }) => sum + compared.end - compared.begin, 0n);
    for (const topic of new Set(scopes.map(({ partition }) => partition.topic))) {
      await this.#compareTopic(
        scopes.filter(({ partition }) => partition.topic === topic),
        letters,
      );
      await this.#findForeignRows(topic);
    }
    if (this.#catalog && this.#files) {
      await findForeignFiles({
        log,
        catalog: this.#catalog,
        files: this.#files,
        duckdb: this.#duckdb,
        scopes,
        range,
        tally: this.#tally,
        report: this.#report,
      });
    }
    return { hours: this.#tally.hours, total: this.#tally.total, scopes, findings: this.#findings };
  }

  async #compareTopic(scopes: readonly PartitionScope[], letters: DeadLetters): Promise<void> {
    const { openDatabase, range, databaseRetentionMs } = this.#options;
    const [first] = scopes;
    if (first === undefined || scopes.every(({ compared }) => compared.begin === compared.end)) return;
    const kind = kindOfTopic(first.partition.topic);
    const retentionMs = databaseRetentionMs ?? (await this.#database?.retentionMs(kind));
    const removedBefore = retentionMs === undefined ? 0n : BigInt(Date.now() - retentionMs) * 1_000_000n;
    const gaps = (await this.#database?.retentionGaps(first.partition.topic)) ?? [];
    this.#countRetentionGaps(gaps);
    await using scan = await openDatabase?.();
    const rows = scan && new DatabaseRows(scan, kind, filterOf(range));
    for (const scope of scopes) {
      const neverRead = gaps.filter(({ partition }) => partition.partition === scope.partition.partition);
      const known = { letters, removedBefore, neverRead: neverRead.map(({ range: offsets }) => offsets) };
      await this.#comparePartition(scope, rows, known);
    }
  }

  async #findForeignRows(topic: string): Promise<void> {
    const { log, reopenLog, openDatabase, range, signal } = this.#options;
    // No index has offsets: this would read the whole table once more.
    if (range.offsets !== undefined) return;
    await using scan = await openDatabase?.();
    if (scan === undefined) return;
    const shared = { tally: this.#tally, report: this.#report, signal };
    await findForeignRows({ log, reopenLog, topic, scan, filter: filterOf(range), ...shared });
  }

  async #comparePartition(
    scope: PartitionScope,
    rows: DatabaseRows | undefined,
    known: Pick<PartitionCheckOptions, 'letters' | 'removedBefore' | 'neverRead'>,
  ): Promise<void> {
    const { partition, compared, entries } = scope;
    const { range } = this.#options;
    const report = this.#report;
    const times = timesOf(range);
    const shared = { partition, tally: this.#tally, report };
    const check = new PartitionCheck({ ...shared, ...known, stores: this.#stores, times, repeats: this.#repeats });
    const retired = new RetiredOffsets({ ...shared, letters: known.letters, catalog: this.#catalog });
    const database = rows?.of(partition.partition) ?? RowCursor.empty();
    for (const window of windowsOf({ compared, entries, hasLake: this.#catalog !== undefined, ...times })) {
      const unseen = await this.#compareWindow(scope, window, check, database);
      if (range.from === undefined && range.to === undefined) await retired.account(unseen.ranges, unseen.window);
      await this.#repeats?.settle();
      this.#progress(partition.topic, partition.partition, window.end - window.begin);
    }
  }

  /** @returns offsets before the log's begin at which nothing stands anywhere */
  async #compareWindow(
    { partition, log: logRange }: PartitionScope,
    window: Window,
    check: PartitionCheck,
    database: RowCursor,
  ): Promise<{ readonly ranges: readonly OffsetRange[]; readonly window: LakeWindow | undefined }> {
    const { log, signal } = this.#options;
    await using lake = await this.#openLake(partition, window);
    const lakeRows = lake?.rows ?? RowCursor.empty();
    const readable = { begin: most(window.begin, logRange.begin), end: window.end };
    await using records = new LogCursor(log, partition, readable, signal);
    const unseen: OffsetRange[] = [];
    let next = window.begin;
    for (;;) {
      if (records.needsFill) await records.fill();
      while (database.needsFill || (database.head !== undefined && database.head.offset < window.begin)) {
        if (database.needsFill) await database.fill();
        else database.take();
      }
      if (lakeRows.needsFill) await lakeRows.fill();
      const offset = leastOf(records.head?.offset, database.head?.offset, lakeRows.head?.offset);
      const isEnd = offset === undefined || offset >= window.end;
      const seenTo = least(isEnd ? window.end : offset, logRange.begin);
      if (next < seenTo) unseen.push({ begin: next, end: seenTo });
      if (isEnd) break;
      next = offset + 1n;
      const record = records.head?.offset === offset ? records.head : undefined;
      const ofDatabase = database.head?.offset === offset ? database.head.lines : NONE;
      const ofLake = lakeRows.head?.offset === offset ? lakeRows.head.lines : NONE;
      const isRetired = offset < logRange.begin;
      check.check({ offset, record, database: ofDatabase, lake: ofLake, window: lake, isRetired });
      if (record !== undefined) records.take();
      if (ofDatabase !== NONE) database.take();
      if (ofLake !== NONE) lakeRows.take();
      if (this.#repeats?.isFull) await this.#repeats.settle();
    }
    return { ranges: unseen, window: lake };
  }

  async #openLake(partition: PartitionScope['partition'], window: Window): Promise<LakeWindow | undefined> {
    if (this.#files === undefined) return undefined;
    return await LakeWindow.open({
      partition,
      entries: window.entries,
      filter: { begin: window.begin, end: window.end, ...timesOf(this.#options.range) },
      duckdb: this.#duckdb,
      files: this.#files,
      report: this.#report,
    });
  }

  #countRetentionGaps(gaps: readonly RetentionGap[]): void {
    const { range } = this.#options;
    if (range.offsets !== undefined || range.partition !== undefined) return;
    for (const { partition, time } of gaps) {
      const at = time * 1000n;
      if (at < (range.from ?? at) || (range.to !== undefined && at >= range.to)) continue;
      this.#tally.at(partition.topic, at).gaps += 1;
    }
  }

  readonly #report = (finding: Finding): void => {
    this.#findings += 1;
    this.#options.onFinding(finding);
  };

  #progress(topic: string, partition: number, offsets: bigint): void {
    this.#done += offsets;
    this.#options.onProgress({ topic, partition, done: this.#done, total: this.#total });
  }
}

const NONE: readonly string[] = [];

function timesOf({ from, to }: VerifyRange): { readonly from?: bigint; readonly to?: bigint } {
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function filterOf({ from, to, partition, offsets }: VerifyRange) {
  return {
    ...(from !== undefined && { from: toIsoText(from) }),
    ...(to !== undefined && { to: toIsoText(to) }),
    ...(partition !== undefined && { partition }),
    ...(offsets !== undefined && { offsets }),
  };
}

function leastOf(...offsets: readonly (bigint | undefined)[]): bigint | undefined {
  return offsets.reduce((least, each) => (least === undefined || (each !== undefined && each < least) ? each : least));
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
