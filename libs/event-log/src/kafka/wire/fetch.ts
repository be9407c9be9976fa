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
}

/** All that is not rolled back by transactions: nothing here ever is. */
export const READ_UNCOMMITTED = 0;

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
  reader.readArray(() => reader.forward(16)); // aborted transactions
  reader.readInt32(); // preferred replica: only offered to those who name their rack
  return { topic, partition, errorCode, bytes: reader.readBytes() ?? NO_BYTES };
}
