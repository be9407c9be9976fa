import { transferList } from '@aipx/recording';
import type { BatchEncoder } from '../../src/parquet/batch-encoder.js';
import { encodeBatch, type EncodedBatch, type EncodeJob } from '../../src/parquet/encode-batch.js';
import { inspectFile, type FileContent } from '../../src/parquet/inspect-file.js';

/** The worker's work without the worker, where a test decides what happens when. Takes the records' memory likewise. */
export class InThreadEncoder implements BatchEncoder {
  async encode(job: Omit<EncodeJob, 'compression'>, signal?: AbortSignal): Promise<EncodedBatch> {
    signal?.throwIfAborted();
    const handedOver = structuredClone(job, { transfer: transferList(job.records) });
    return encodeBatch({ ...handedOver, compression: 'snappy' });
  }

  inspect(bytes: Uint8Array<ArrayBuffer>): Promise<FileContent> {
    return inspectFile(bytes);
  }
}
