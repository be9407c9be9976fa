import { Decoder, type Api } from './protocol.js';

/** What goes to one partition: one batch that is encoded already. */
export interface ProducedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProduceBody {
  /** -1 all in-sync replicas, 1 the leader. */
  readonly acks: -1 | 1;
  /** How long the leader waits for its replicas, ms. */
  readonly timeoutMs: number;
  /** At most one of each partition. */
  readonly batches: readonly ProducedBatch[];
}

/** What the leader says of each partition that it was sent. */
export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

const NO_TRANSACTION = -1;
const INT16 = 2;
const INT32 = 4;

/** Version 7, the first that knows zstd. */
export const PRODUCE: Api<ProduceBody, readonly ProducedPartition[]> = {
  name: 'Produce',
  key: 0,
  version: 7,

  encode({ acks, timeoutMs, batches }) {
    const topics = Map.groupBy(batches, ({ topic }) => topic);
    const head = Buffer.allocUnsafe(2 * INT16 + 2 * INT32);
    let at = head.writeInt16BE(NO_TRANSACTION, 0);
    at = head.writeInt16BE(acks, at);
    at = head.writeInt32BE(timeoutMs, at);
    head.writeInt32BE(topics.size, at);
    const parts: Buffer[] = [head];
    for (const [topic, ofTopic] of topics) {
      parts.push(topicHead(topic, ofTopic.length));
      for (const { partition, batch } of ofTopic) parts.push(partitionHead(partition, batch.length), batch);
    }
    return Buffer.concat(parts);
  },

  decode(payload) {
    const reader = new Decoder(payload);
    return reader
      .readArray(() => {
        const topic = reader.readString() ?? '';
        return reader.readArray(() => {
          const partition = reader.readInt32();
          const errorCode = reader.readInt16();
          reader.forward(24); // base offset, append time, log start
          return { topic, partition, errorCode };
        });
      })
      .flat();
  },
};

function topicHead(topic: string, partitions: number): Buffer {
  const bytes = Buffer.byteLength(topic);
  const head = Buffer.allocUnsafe(INT16 + bytes + INT32);
  let at = head.writeInt16BE(bytes, 0);
  at += head.write(topic, at);
  head.writeInt32BE(partitions, at);
  return head;
}

function partitionHead(partition: number, bytes: number): Buffer {
  const head = Buffer.allocUnsafe(2 * INT32);
  head.writeInt32BE(bytes, head.writeInt32BE(partition, 0));
  return head;
}
