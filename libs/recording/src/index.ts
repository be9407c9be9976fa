export type { ColdCounts } from './cold/cold-counts.js';
export { ColdRecorder, type ColdRecorderOptions } from './cold/cold-recorder.js';
export type { ColdBatch, ColdPartition, ColdSession, ColdStore, StoredBatch } from './cold/cold-store.js';
export {
  packRecords,
  RecordPacker,
  recordsFrom,
  transferList,
  unpackRecords,
  type PackedRecords,
} from './cold/packed-records.js';
export { decodeRecord, type DecodedRecord } from './decode-record.js';
export { HotRecorder, type HotRecorderOptions } from './hot/hot-recorder.js';
export type { HotCounts } from './hot/hot-counts.js';
export type {
  HotBatch,
  HotCommit,
  HotRow,
  HotStore,
  PositionMove,
  RefusedRow,
  StoredPosition,
} from './hot/hot-store.js';
export { RecordingPipeline, type RecordingPipelineOptions } from './pipeline.js';
export { recordHash } from './record-hash.js';
export { signOfAnotherLog } from './same-log.js';
export type { Recorder, RecorderFault, RecorderStatus } from './recorder.js';
