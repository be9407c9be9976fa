export { LakeStore, type LakeStoreOptions } from './lake-store.js';
export { FolderObjectStore } from './object-store/folder-object-store.js';
export type { ObjectStore } from './object-store/object-store.js';
export type { Backoff, StoreFault } from './object-store/patient-object-store.js';
export type { Compression } from './parquet/parquet-table.js';
export { ParquetWorker } from './parquet/parquet-worker.js';
