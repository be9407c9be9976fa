/** A process that appends to a log, consumes it, closes it, and has nothing more to do. */
import { KafkaEventLog } from '../../src/kafka/kafka-event-log.js';

const [broker = '', topic = ''] = process.argv.slice(2);
const log = await KafkaEventLog.open({
  brokers: [broker],
  clientId: 'event-log-test',
  topics: { [topic]: 3 },
  replication: 1,
  compression: 'zstd',
  acks: 'all',
  requestTimeoutMs: 600_000,
  signal: new AbortController().signal,
});
for (let n = 0; n < 20; n += 1) {
  await log.append([{ topic, key: `KRW-${n}`, value: Buffer.from(String(n)), headers: {} }]);
}
const stop = new AbortController();
let left = 20;
await log.consume(
  { group: topic, topics: [topic], limits: { maxRecords: 100, maxBytes: 100_000 } },
  {
    onAssigned: async (_, range) => range.begin,
    onRecords: async (_, records) => {
      left -= records.length;
      if (left === 0) stop.abort();
    },
    onRevoked: async () => undefined,
  },
  stop.signal,
);
await log.close();
