/** Compresses the records of a batch. Both directions are synchronous: a batch has a megabyte at most. */
export interface Codec {
  /** Kafka's number for it, the lowest three bits of a batch's attributes. */
  readonly id: number;
  compress(bytes: Buffer): Buffer;
  decompress(bytes: Buffer): Buffer;
}
