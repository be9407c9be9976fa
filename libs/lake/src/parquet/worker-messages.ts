import type { ErrorCode } from '@aipx/market-model';
import type { EncodedBatch, EncodeJob } from './encode-batch.js';
import type { FileContent } from './inspect-file.js';

/** What the Parquet worker is asked. One question at a time; it answers each once. */
export type WorkerRequest =
  | { readonly kind: 'encode'; readonly job: EncodeJob }
  | { readonly kind: 'inspect'; readonly bytes: Uint8Array<ArrayBuffer> };

export type WorkerReply =
  | { readonly kind: 'encoded'; readonly batch: EncodedBatch }
  | { readonly kind: 'inspected'; readonly content: FileContent }
  | { readonly kind: 'tooLarge'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly code?: ErrorCode };
