import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { MarketDataError } from '@aipx/market-model';
import { entry, readAll, textOf } from '../../src/contract/entries.js';
import type { KafkaEventLog } from '../../src/kafka/index.js';
import type { LogEntry } from '../../src/index.js';
import { parseAddress } from '../../src/kafka/broker-address.js';
import { PRODUCE } from '../../src/kafka/wire/produce.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';
import { LossyProxy } from '../support/lossy-proxy.js';

const KEY = 'KRW-BTC';
const UNKNOWN_SERVER_ERROR = -1;
const NOT_LEADER = 6;
const MESSAGE_TOO_LARGE = 10;
const TOPIC_AUTHORIZATION_FAILED = 29;
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const DUPLICATE_SEQUENCE_NUMBER = 46;
const INVALID_RECORD = 87;
const UNHEARD_OF = 12_345;

describe.skipIf(noKafka)(`The answers of ${ON_KAFKA} to an append`, () => {
  let topic: string;
  let proxy: LossyProxy;
  let log: KafkaEventLog;
  let faults: MarketDataError[];

  beforeEach(async () => {
    topic = ownName('market.tick');
    faults = [];
    proxy = await LossyProxy.before(parseAddress(inject('kafka').brokers[0] ?? ''));
    log = await openKafkaLog({
      topics: { [topic]: 2 },
      route: () => proxy.address,
      onFault: (error) => void faults.push(error),
    });
  });

  afterEach(async () => {
    await log.close();
    await proxy.close();
  });

  const entries = (...texts: string[]): LogEntry[] => texts.map((text) => entry(KEY, text, topic));
  const stored = async () => (await readAll(log, log.partitionFor(topic, KEY))).map(textOf);
  const answerOnce = (errorCode: number) => {
    proxy.fate = () => {
      proxy.fate = () => 'passes';
      return { errorCode };
    };
  };

  it('are waited for again, without the caller, when the leader has moved', async () => {
    answerOnce(NOT_LEADER);
    await log.append(entries('one'));
    expect(await stored()).toEqual(['one']);
  });

  it('are one for all partitions of a moment: those that are stored are left alone, the others are sent again', async () => {
    const keys = ['KRW-BTC', 'KRW-ETH', 'KRW-XRP', 'KRW-SOL', 'KRW-ADA'];
    const partitionOf = (key: string) => log.partitionFor(topic, key);
    const both = [0, 1].map((number) => keys.find((key) => partitionOf(key).partition === number) ?? '');
    await log.append(both.map((key) => entry(key, 'known to its leader', topic)));
    let requests = 0;
    proxy.onRequest = (apiKey) => (requests += Number(apiKey === PRODUCE.key));
    proxy.passed = 0;
    answerOnce(NOT_LEADER);
    await log.append(both.map((key) => entry(key, 'one', topic)));
    expect({ requests, batches: proxy.passed }).toEqual({ requests: 2, batches: 3 });
    for (const key of both) {
      expect((await readAll(log, partitionOf(key))).map(textOf)).toEqual(['known to its leader', 'one']);
    }
  });

  it('mean stored when the broker says that it has the batch already', async () => {
    answerOnce(DUPLICATE_SEQUENCE_NUMBER);
    await log.append(entries('one'));
    await log.append(entries('two'));
    expect(await stored()).toEqual(['one', 'two']);
  });

  it('reject with topic, partition, broker and what to do when no retry can help, and the next append passes', async () => {
    answerOnce(TOPIC_AUTHORIZATION_FAILED);
    const { partition } = log.partitionFor(topic, KEY);
    await expect(log.append(entries('one'))).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      retryable: false,
      message: expect.stringContaining('grant it WRITE') as string,
      context: { topic, partition, broker: inject('kafka').brokers[0] },
    });
    await log.append(entries('two'));
    expect((await stored()).at(-1)).toBe('two');
  });

  it('never make a different batch of the same size pass for one that was refused although it was stored', async () => {
    answerOnce(INVALID_RECORD);
    await expect(log.append(entries('stored', 'all the same'))).rejects.toMatchObject({ retryable: false });
    await log.append(entries('another', 'one'));
    expect((await stored()).slice(-2)).toEqual(['another', 'one']);
  });

  it.each([UNKNOWN_SERVER_ERROR, UNHEARD_OF])(
    'are asked for again when the leader cannot say what is wrong (%i), and what it had stored stands once',
    async (errorCode) => {
      answerOnce(errorCode);
      await log.append(entries('one'));
      await log.append(entries('two'));
      expect(await stored()).toEqual(['one', 'two']);
    },
  );

  it.each([TOPIC_AUTHORIZATION_FAILED, MESSAGE_TOO_LARGE])(
    'settle nothing when they refuse (%i) a batch that an earlier try may have stored: the same one is then found there',
    async (errorCode) => {
      let batches = 0;
      proxy.fate = () => ((batches += 1) === 1 ? 'lost' : { errorCode });
      const batch = entries('one', 'two');
      await expect(log.append(batch)).rejects.toMatchObject({
        code: 'PUBLISH_FAILED',
        retryable: true,
        message: expect.stringContaining('may be stored') as string,
      });
      expect(batches).toBeGreaterThan(1);
      proxy.fate = () => 'passes';
      await log.append(batch);
      await log.append(entries('three'));
      expect(await stored()).toEqual(['one', 'two', 'three']);
    },
  );

  it('say that smaller appends may pass when a batch is too large', async () => {
    answerOnce(MESSAGE_TOO_LARGE);
    await expect(log.append(entries('one', 'two'))).rejects.toMatchObject({
      code: 'PUBLISH_TOO_LARGE',
      retryable: false,
      message: expect.stringContaining('max.message.bytes') as string,
    });
    await log.append(entries('one'));
    expect((await stored()).at(-1)).toBe('one');
  });

  it('let a batch stand twice, and say so, only when the broker has lost count of this producer', async () => {
    await log.append(entries('one'));
    answerOnce(OUT_OF_ORDER_SEQUENCE_NUMBER);
    await log.append(entries('two'));
    await log.append(entries('three'));
    expect(await stored()).toEqual(['one', 'two', 'two', 'three']);
    expect(faults).toMatchObject([{ code: 'PUBLISH_FAILED', context: { topic } }]);
  });

  it('are not waited for longer than the signal says, and the same append then finds out what became of it', async () => {
    const stop = new AbortController();
    proxy.fate = () => {
      stop.abort();
      return 'passes';
    };
    const batch = entries('one', 'two');
    await expect(log.append(batch, { signal: stop.signal })).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      retryable: true,
    });
    await expect(log.append(entries('three'))).rejects.toMatchObject({ code: 'PUBLISH_FAILED', retryable: true });
    await log.append([...batch]);
    await log.append(entries('three'));
    expect(await stored()).toEqual(['one', 'two', 'three']);
  });

  it('count for each partition: what one has stored is not sent again when another one failed', async () => {
    const keys = ['KRW-BTC', 'KRW-ETH', 'KRW-XRP', 'KRW-SOL', 'KRW-DOGE'];
    const batch = keys.map((key) => entry(key, key, topic));
    expect(new Set(keys.map((key) => log.partitionFor(topic, key).partition)).size).toBe(2);
    let batches = 0;
    proxy.fate = () => ((batches += 1) === 1 ? 'passes' : 'lost');
    await expect(log.append(batch)).rejects.toMatchObject({ retryable: true });
    proxy.fate = () => 'passes';
    await log.append(batch);
    const all = await Promise.all([0, 1].map((partition) => readAll(log, { topic, partition })));
    expect(all.flat().map(textOf).sort()).toEqual([...keys].sort());
  });

  it('are no longer waited for once the log is closed: the append rejects with an open outcome, and no connection stays', async () => {
    const { promise: isSent, resolve } = Promise.withResolvers<undefined>();
    proxy.fate = () => {
      resolve(undefined);
      return 'lost';
    };
    const outcome = log.append(entries('one')).then(
      () => 'stored',
      (error: MarketDataError) => error,
    );
    await isSent;
    await log.close();
    expect(await outcome).toMatchObject({ code: 'PUBLISH_FAILED', retryable: true });
    await expect(log.append(entries('two'))).rejects.toMatchObject({ code: 'STORE_REFUSED' });
    await proxy.left();
  });

  it('keep the order of appends to a partition that do not wait for each other', async () => {
    const texts = Array.from({ length: 50 }, (_, n) => String(n));
    await Promise.all(texts.map((text) => log.append(entries(text))));
    expect(await stored()).toEqual(texts);
  });

  it('are those of the leader alone with acks "leader", and a lost one doubles nothing then either', async () => {
    await log.close();
    log = await openKafkaLog({ topics: { [topic]: 2 }, route: () => proxy.address, acks: 'leader' });
    await log.append(entries('one'));
    let batches = 0;
    proxy.fate = () => ((batches += 1) === 1 ? 'lost' : 'passes');
    await log.append(entries('two'));
    expect(proxy.lost).toBe(1);
    expect(await stored()).toEqual(['one', 'two']);
  });
});
