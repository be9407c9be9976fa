import { Kafka, logLevel, type Producer, type Transaction } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { AMPLE, entry, textOf } from '../../src/contract/entries.js';
import { RecordingHandler } from '../../src/contract/recording-handler.js';
import type { TopicPartition } from '../../src/index.js';
import type { KafkaEventLog } from '../../src/kafka/index.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';

const KEY = 'KRW-BTC';

describe.skipIf(noKafka)(`Another one’s transactions on ${ON_KAFKA}`, () => {
  let topic: string;
  let log: KafkaEventLog;
  let producer: Producer;
  let partition: TopicPartition;
  let handler: RecordingHandler;
  let stop: AbortController;

  beforeEach(async () => {
    topic = ownName('market.tick');
    handler = new RecordingHandler();
    stop = new AbortController();
    log = await openKafkaLog({ topics: { [topic]: 1 } });
    partition = { topic, partition: 0 };
    const { brokers } = inject('kafka');
    producer = new Kafka({ brokers: [...brokers], clientId: 'another', logLevel: logLevel.NOTHING }).producer({
      transactionalId: topic,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
  });

  afterEach(async () => {
    stop.abort();
    await producer.disconnect();
    await log.close();
  });

  const consume = () => log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
  const append = (text: string) => log.append([entry(KEY, text, topic)]);

  async function begin(...texts: readonly string[]): Promise<Transaction> {
    const transaction = await producer.transaction();
    for (const value of texts) await transaction.send({ topic, messages: [{ key: KEY, value }] });
    return transaction;
  }

  it('are read once they are committed, never when they are aborted; their markers are no records and no loss', async () => {
    await append('a');
    await (await begin('b', 'c')).commit();
    await (await begin('never', 'nor this')).abort();
    await append('d');
    await (await begin('e')).commit();
    const consuming = consume();
    await handler.until(() => handler.records.length === 5);
    stop.abort();
    await consuming;
    const expected = ['a', 'b', 'c', 'd', 'e'];
    expect(handler.records.map(textOf)).toEqual(expected);
    expect((await log.read(partition, 0n, AMPLE)).map(textOf)).toEqual(expected);
    expect((await log.read(partition, 4n, { maxRecords: 1, maxBytes: 1 })).map(textOf)).toEqual(['d']);
    expect(await log.range(partition)).toEqual({ begin: 0n, end: 10n });
    // A marker is behind the last record, which was not given before the marker was there.
    expect(await log.read(partition, 9n, AMPLE)).toEqual([]);
  });

  it('hold up what is behind them until they end, and the range ends before them', async () => {
    await append('a');
    const open = await begin('never');
    await append('b');
    expect(await log.range(partition)).toEqual({ begin: 0n, end: 1n });
    const consuming = consume();
    await handler.until(() => handler.records.length === 1);
    await open.abort();
    await handler.until(() => handler.records.length === 2);
    stop.abort();
    await consuming;
    expect(handler.records.map(textOf)).toEqual(['a', 'b']);
  });
});
