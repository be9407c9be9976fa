const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/**
 * Murmur2, 32 bit and signed, as Kafka's Java client computes it (`org.apache.kafka.common.utils.Utils.murmur2`), so
 * that a key stands in the same partition whoever wrote it.
 */
export function murmur2(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const tail = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let at = 0; at < tail; at += 4) {
    let block = Math.imul(view.getInt32(at, true), MULTIPLIER);
    block = Math.imul(block ^ (block >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ block;
  }
  if (tail < data.length) {
    for (let at = data.length - 1; at >= tail; at -= 1) hash ^= view.getUint8(at) << (8 * (at - tail));
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Symbols are few and come again with every record; the keys of dead letters are many and never do. */
const REMEMBERED_KEYS = 8_192;

/** Kafka's default choice for a record with a key: positive murmur2 of its UTF-8 bytes, modulo partitions. */
export class Partitioner {
  readonly #hashes = new Map<string, number>();

  partitionOf(key: string, partitions: number): number {
    return this.#hash(key) % partitions;
  }

  #hash(key: string): number {
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    if (this.#hashes.size >= REMEMBERED_KEYS) this.#hashes.clear();
    const hash = murmur2(Buffer.from(key)) & 0x7fffffff;
    this.#hashes.set(key, hash);
    return hash;
  }
}
