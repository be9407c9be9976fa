import { MarketDataError } from '@aipx/market-model';
import { BatchTooLarge } from './batch-encoder.js';
import type { WorkerReply, WorkerRequest } from './worker-messages.js';

/** How V8 and Node say that there is no memory, or none so large, for an array. Other range errors are faults of the program. */
const NO_MEMORY = /^(Array buffer allocation failed|Invalid typed array length: \d+|Failed to allocate memory)$/;

/** What the worker answers when it could not do what it was asked. */
export function failureReply(asked: WorkerRequest['kind'], cause: unknown): WorkerReply {
  const message = cause instanceof Error ? cause.message : String(cause);
  // Only of a batch: the lengths that a damaged file claims say nothing about memory.
  if (asked === 'encode' && isTooLarge(cause)) return { kind: 'tooLarge', message };
  return { kind: 'failed', message, ...(cause instanceof MarketDataError && { code: cause.code }) };
}

function isTooLarge(cause: unknown): boolean {
  return cause instanceof BatchTooLarge || (cause instanceof RangeError && NO_MEMORY.test(cause.message));
}
