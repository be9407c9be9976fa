export interface BufferLimits {
  /** Records and bytes in memory that the log has not acknowledged. */
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** How long, ms, a book and a trade may wait in memory; 0 = for ever. */
  readonly bookTtlMs: number;
  readonly tradeTtlMs: number;
  /** Which of the two goes when memory is full and there is no disk to take the trades. */
  readonly priority: 'trades' | 'books';
  /** Of one send. */
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  /** How long, ms, a first record waits for company. */
  readonly lingerMs: number;
}
