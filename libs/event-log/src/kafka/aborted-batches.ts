import { ATTRIBUTES, BATCH } from './wire/batch-layout.js';
import { nextOffset } from './wire/decode-batch.js';
import type { AbortedTransaction } from './wire/fetch.js';

/**
 * Tells which batches of one answer to a fetch belong to aborted transactions. Asked for each batch, in order. A producer has
 * one transaction at a time, so the first marker behind the beginning of an aborted one is its end.
 */
export function abortedBatches(transactions: readonly AbortedTransaction[]): (batch: Buffer) => boolean {
  const toCome = transactions.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const open = new Set<bigint>();
  return (batch) => {
    const end = nextOffset(batch);
    while (toCome[0] !== undefined && toCome[0].firstOffset < end) {
      open.add(toCome[0].producerId);
      toCome.shift();
    }
    const attributes = batch.readInt16BE(BATCH.attributes);
    const producerId = batch.readBigInt64BE(BATCH.producerId);
    if ((attributes & ATTRIBUTES.control) !== 0) open.delete(producerId);
    return (attributes & ATTRIBUTES.transactional) !== 0 && open.has(producerId);
  };
}
