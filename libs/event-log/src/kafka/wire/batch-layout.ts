/**
 * Where the fields of a record batch lie, version 2, the only one since Kafka 0.11
 * (https://kafka.apache.org/documentation/#recordbatch).
 */
export const BATCH = {
  baseOffset: 0,
  /** Of what follows it. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  /** What the checksum covers begins here. */
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;

export const BATCH_VERSION = 2;
/** Bytes before those that the length counts. */
export const BEFORE_LENGTH = BATCH.leaderEpoch;

export const ATTRIBUTES = {
  codec: 0x07,
  /** The broker stamped the batch when it took it: all records have `maxTimestamp`. */
  appendTime: 0x08,
  transactional: 0x10,
  /** Transaction markers, no records. */
  control: 0x20,
} as const;
