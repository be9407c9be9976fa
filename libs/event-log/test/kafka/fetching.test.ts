import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import { AMPLE, entry, textOf } from '../../src/contract/entries.js';
import { RecordingHandler } from '../../src/contract/recording-handler.js';
import type { OffsetRange } from '../../src/index.js';
import type { KafkaEventLog, KafkaEventLogOptions } from '../../src/kafka/index.js';
import { parseAddress } from '../../src/kafka/broker-address.js';
import { FETCH } from '../../src/kafka/wire/fetch.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';
import { deleteTopic } from '../support/kafkajs-admin.js';
import { LossyProxy } from '../support/lossy-proxy.js';

const KEY = 'KRW-BTC';
const UNKNOWN_SERVER_ERROR = -1;
/** Where they lie in the answer to a fetch: the error behind the throttle time, the topics behind the session. */
const ERROR_AT = 4;
const TOPICS_AT = 10;

describe.skipIf(noKafka)(`Fetching from ${ON_KAFKA}`, () => {
  let topic: string;
  let proxy: LossyProxy;
  let log: KafkaEventLog;
  let faults: MarketDataError[];
  let handler: RecordingHandler;
  let stop: AbortController;

  beforeEach(async () => {
    topic = ownName('market.tick');
    faults = [];
    handler = new RecordingHandler();
    stop = new AbortController();
    proxy = await LossyProxy.before(parseAddress(inject('kafka').brokers[0] ?? ''));
    log = await open({ route: () => proxy.address });
  });

  afterEach(async () => {
    stop.abort();
    await log.close();
    await proxy.close();
  });

  const open = (options: Partial<KafkaEventLogOptions> = {}) =>
    openKafkaLog({ topics: { [topic]: 1 }, onFault: (error) => void faults.push(error), ...options });

  const consume = () => log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);

  it.each([
    [
      'an error of the whole answer',
      'node 1 refuses a fetch',
      (answer: Buffer) => {
        answer.writeInt16BE(UNKNOWN_SERVER_ERROR, ERROR_AT);
        return answer;
      },
    ],
    [
      'an answer that does not name the partition',
      'does not name it',
      (answer: Buffer) => Buffer.concat([answer.subarray(0, TOPICS_AT), Buffer.alloc(4)]),
    ],
  ])('goes on after %s, slower each time, and tells of it', async (_, message, spoil) => {
    const spoiled = 4;
    let fetches = 0;
    proxy.onAnswer = (kind, answer) => (kind === FETCH.key && (fetches += 1) <= spoiled ? spoil(answer) : answer);
    await log.append([entry(KEY, 'one', topic)]);
    const startedAt = performance.now();
    const consuming = consume();
    await handler.until(() => handler.records.length === 1);
    // Waits of 50, 100, 200 and 400 ms at least lie between.
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(faults.filter((fault) => fault.message.includes(message))).toHaveLength(spoiled);
    stop.abort();
    await consuming;
    expect(handler.records.map(textOf)).toEqual(['one']);
  });

  describe('an answer to a question for records that gives none', () => {
    /** What a leader says that knows of fewer records than the one before: no error, no bytes, an end before them. */
    const lagging = (answer: Buffer) => {
      const end = TOPICS_AT + 4 + 2 + Buffer.byteLength(topic) + 4 + 4 + 2;
      const rest = Buffer.alloc(8 + 8 + 8 + 4 + 4 + 4);
      rest.writeInt32BE(-1, 28); // preferred replica
      return Buffer.concat([answer.subarray(0, end), rest]);
    };
    const overQuota = (answer: Buffer) => Buffer.concat([answer.subarray(0, TOPICS_AT), Buffer.alloc(4)]);

    it.each([
      ['because the client is held to a quota', overQuota, 0n],
      ['because a new leader does not know yet how far the log reaches', lagging, 2n],
    ])('%s is asked for again: it is not the end', async (_, spoil, until) => {
      const partition = log.partitionFor(topic, KEY);
      await log.append(['one', 'two'].map((text) => entry(KEY, text, topic)));
      let fetches = 0;
      proxy.onAnswer = (kind, answer) => (kind === FETCH.key && (fetches += 1) <= 2 ? spoil(answer) : answer);
      expect((await log.read(partition, 0n, AMPLE, { until })).map(textOf)).toEqual(['one', 'two']);
      expect(fetches).toBe(3);
    });

    it('is the end where nobody knows of more, and an outage where the log is known to reach further', async () => {
      const impatient = await open({ route: () => proxy.address, requestTimeoutMs: 1_000 });
      const partition = impatient.partitionFor(topic, KEY);
      await impatient.append([entry(KEY, 'one', topic)]);
      expect(await impatient.read(partition, 1n, AMPLE, { until: 1n })).toEqual([]);
      await expect(impatient.read(partition, 1n, AMPLE, { until: 2n })).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryable: true,
        message: expect.stringContaining('gives nothing at 1, though the log goes on to 2') as string,
      });
      await impatient.close();
    });
  });

  it('ends with the signal when the broker does not answer a question for records or for a range', async () => {
    await log.append([entry(KEY, 'one', topic)]);
    const partition = log.partitionFor(topic, KEY);
    const isHanging = Promise.withResolvers<undefined>();
    proxy.onAnswer = () => {
      isHanging.resolve(undefined);
      return new Promise(() => undefined);
    };
    const [range, records] = [log.range(partition, stop), log.read(partition, 0n, AMPLE, stop)];
    await isHanging.promise;
    const why = new Error('no longer wanted');
    stop.abort(why);
    await expect(range).rejects.toBe(why);
    await expect(records).rejects.toBe(why);
  });

  describe('a topic that is deleted and made anew under its name', () => {
    const ranges: OffsetRange[] = [];
    const makeAnew = async (texts: readonly string[]) => {
      await deleteTopic(topic);
      const again = await open();
      await again.append(texts.map((text) => entry(KEY, text, topic)));
      await again.close();
    };

    beforeEach(async () => {
      ranges.length = 0;
      await log.append(['a', 'b', 'c'].map((text) => entry(KEY, text, topic)));
    });

    it('is assigned again with its new range, so that the sink can compare what it has: its refusal ends all', async () => {
      const mismatch = new MarketDataError('STORE_LOG_MISMATCH', 'the record before the position is another one');
      handler.beginAt = async (_, range) => {
        if (ranges.push(range) > 1) throw mismatch;
        return range.begin;
      };
      const consuming = expect(consume()).rejects.toBe(mismatch);
      await handler.until(() => handler.records.length === 3);
      // More than before: the offset that is read next is in the range again.
      await makeAnew(['A', 'B', 'C', 'D', 'E']);
      await consuming;
      expect(handler.records.map(textOf)).toEqual(['a', 'b', 'c']);
      expect(handler.revoked).toHaveLength(1);
    });

    it('is refused where the sink stands beyond its end', async () => {
      handler.beginAt = (_, range) => (ranges.push(range) > 1 ? 3n : range.begin);
      const consuming = expect(consume()).rejects.toMatchObject({ code: 'STORE_REFUSED', retryable: false });
      await handler.until(() => handler.records.length === 3);
      await makeAnew([]);
      await consuming;
      expect(ranges.at(-1)).toEqual({ begin: 0n, end: 0n });
    });
  });
});
