export { DuckDb, type SqlTable, type SqlValue } from './duckdb.js';
export type { LakeSource } from './lake-files.js';
export type { Finding, FindingKind, Store } from './verify/findings.js';
export type { PartitionScope, VerifyRange } from './verify/scope.js';
export type { Counts, HourCounts } from './verify/tally.js';
export { verify, type Progress, type VerifyOptions, type VerifyResult } from './verify/verify.js';
export { createLakeViews } from './query/lake-views.js';
export { BAR_INTERVALS, barsSql, booksSql, ticksSql, type AskedSql, type Question } from './query/questions.js';
