export { LakeStore, type LakeStoreOptions } from './lake-store.js';
export { FolderObjectStore } from './object-store/folder-object-store.js';
export type { ObjectStore } from './object-store/object-store.js';
export type { Backoff, StoreFault } from './object-store/patience.js';
export { S3ObjectStore, type S3Options } from './object-store/s3-object-store.js';
export type { S3Credentials } from './object-store/s3-bucket.js';
export type { Compression } from './parquet/parquet-table.js';
export { ParquetWorker } from './parquet/parquet-worker.js';
export type { ManifestEntry, ManifestFile } from './protocol/manifest-entry.js';
export {
  LakeCatalog,
  type EventKind,
  type EventTimes,
  type FoundFile,
  type StoredObjects,
} from './read/lake-catalog.js';
export { S3ObjectReader, type S3ObjectReaderOptions } from './read/s3-object-reader.js';
