import { Decoder, type Api } from './protocol.js';

export interface ProduceBody {
  /** -1 all in-sync replicas, 1 the leader. */
  readonly acks: -1 | 1;
  /** How long the leader waits for its replicas, ms. */
  readonly timeoutMs: number;
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
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

/** Version 7, the first that knows zstd: one partition with one batch that is encoded already. */
export const PRODUCE: Api<ProduceBody, readonly ProducedPartition[]> = {
  name: 'Produce',
  key: 0,
  version: 7,

  encode({ acks, timeoutMs, topic, partition, batch }) {
    const topicBytes = Buffer.byteLength(topic);
    const head = Buffer.allocUnsafe(3 * INT16 + 5 * INT32 + topicBytes);
    let at = head.writeInt16BE(NO_TRANSACTION, 0);
    at = head.writeInt16BE(acks, at);
    at = head.writeInt32BE(timeoutMs, at);
    at = head.writeInt32BE(1, at);
    at = head.writeInt16BE(topicBytes, at);
    at += head.write(topic, at);
    at = head.writeInt32BE(1, at);
    at = head.writeInt32BE(partition, at);
    head.writeInt32BE(batch.length, at);
    return Buffer.concat([head, batch]);
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
