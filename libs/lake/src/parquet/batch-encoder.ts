import type { EncodedBatch, EncodeJob } from './encode-batch.js';
import type { FileContent } from './inspect-file.js';

/** Turns batches into files and files back into what they hold. */
export interface BatchEncoder {
  /** The job's records are handed over and must not be used afterwards. */
  encode(job: Omit<EncodeJob, 'compression'>): Promise<EncodedBatch>;
  /** Rejects when the bytes are not a file of the lake. */
  inspect(bytes: Uint8Array<ArrayBuffer>): Promise<FileContent>;
}
