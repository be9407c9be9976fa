import { MarketDataError } from '@aipx/market-model';
import type { EncodedBatch, EncodeJob } from './encode-batch.js';
import type { FileContent } from './inspect-file.js';

/** Turns batches into files and files back into what they hold. */
export interface BatchEncoder {
  /**
   * The job's records are handed over and must not be used afterwards. A job whose signal aborts is not begun any more.
   *
   * @throws {BatchTooLarge} when its memory did not suffice; the next job finds it as if nothing had happened
   */
  encode(job: Omit<EncodeJob, 'compression'>, signal?: AbortSignal): Promise<EncodedBatch>;
  /** Rejects when the bytes are not a file of the lake. */
  inspect(bytes: Uint8Array<ArrayBuffer>): Promise<FileContent>;
}

/** The batch needs more memory than its encoder has. Fewer records may pass. */
export class BatchTooLarge extends MarketDataError {}
