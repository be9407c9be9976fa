import { Decoder, kafkajsApi, type Api } from './protocol.js';

export interface FetchBody {
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }[];
  }[];
}

export interface FetchAnswer {
  readonly errorCode: number;
  /**
   * Above 0 when this client has used up its quota. The answer then names no partition, and the broker itself lets the
   * connection wait for so long.
   */
  readonly throttledMs: number;
  readonly partitions: readonly FetchedPartition[];
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Behind the last record that is there. */
  readonly highWatermark: bigint;
  /** Behind the last record that may be read: where the first transaction that is still open begins, or the high watermark. */
  readonly end: bigint;
  /** Record batches as they lie in the log; the last one may be cut off. */
  readonly bytes: Buffer;
  /** Transactions with records among them that were aborted, by their first offsets. */
  readonly aborted: readonly AbortedTransaction[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/**
 * Up to the first transaction that is still open, so that what is aborted later is not read before. Who reads leaves out what
 * the answers call aborted.
 */
export const READ_COMMITTED = 1;

const NO_BYTES = Buffer.alloc(0);
const request = kafkajsApi<FetchBody, unknown>('Fetch');

/** Reads what comes into batches only: kafkajs' own reading stops at some 100,000 records and checks no checksum. */
export const FETCH: Api<FetchBody, FetchAnswer> = {
  ...request,

  decode(payload) {
    const reader = new Decoder(payload);
    const throttledMs = reader.readInt32();
    const errorCode = reader.readInt16();
    reader.readInt32(); // session
    const partitions = reader
      .readArray(() => {
        const topic = reader.readString() ?? '';
        return reader.readArray(() => readPartition(reader, topic));
      })
      .flat();
    return { errorCode, throttledMs, partitions };
  },
};

function readPartition(reader: Decoder, topic: string): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = reader.readInt64();
  const end = reader.readInt64();
  reader.readInt64(); // log start
  const aborted = reader.readArray(() => readAborted(reader));
  reader.readInt32(); // preferred replica: only offered to those who name their rack
  return { topic, partition, errorCode, highWatermark, end, aborted, bytes: reader.readBytes() ?? NO_BYTES };
}

function readAborted(reader: Decoder): AbortedTransaction {
  return { producerId: reader.readInt64(), firstOffset: reader.readInt64() };
}
