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

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
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
export const FETCH: Api<FetchBody, { readonly errorCode: number; readonly partitions: readonly FetchedPartition[] }> = {
  ...request,

  decode(payload) {
    const reader = new Decoder(payload);
    reader.readInt32(); // throttle time: the broker itself waits
    const errorCode = reader.readInt16();
    reader.readInt32(); // session
    const partitions = reader
      .readArray(() => {
        const topic = reader.readString() ?? '';
        return reader.readArray(() => readPartition(reader, topic));
      })
      .flat();
    return { errorCode, partitions };
  },
};

function readPartition(reader: Decoder, topic: string): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.forward(24); // high watermark, last stable offset, log start
  const aborted = reader.readArray(() => readAborted(reader));
  reader.readInt32(); // preferred replica: only offered to those who name their rack
  return { topic, partition, errorCode, aborted, bytes: reader.readBytes() ?? NO_BYTES };
}

function readAborted(reader: Decoder): AbortedTransaction {
  return { producerId: reader.readInt64(), firstOffset: reader.readInt64() };
}
