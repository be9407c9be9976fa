import '@aipx/service/small-heap';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type TopicMessages } from 'kafkajs';
import type { BareResult, BareTask } from './bare.ts';
import { kafkaClient } from './kafka-client.ts';
import { LatencyRecorder } from './latency.ts';
import { TapePlayer, type TapedRecord } from './tape.ts';

// A producer that does nothing but produce: what is left of the service when venue, decoding and buffer are taken away.

const SEND_EVERY_MS = 5;
const SECOND_MS = 1_000;

const [task] = (await once(process, 'message')) as [BareTask];
process.on('disconnect', () => process.exit());
process.send?.(await play(task));

async function play({ brokers, tape, rate, warmUpMs, forMs }: BareTask): Promise<BareResult> {
  const producer = kafkaClient(brokers).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const records = new TapePlayer(tape);
  const [fromDue, fromSend] = [new LatencyRecorder(), new LatencyRecorder()];
  const startedAt = performance.now();
  let sent = 0;
  for (;;) {
    const begunAt = performance.now();
    if (begunAt - startedAt >= warmUpMs + forMs) break;
    const due = Math.floor(((begunAt - startedAt) * rate) / SECOND_MS) - sent;
    const taken = await records.take(due);
    if (taken.length < due) break;
    if (taken.length > 0) {
      const sendAt = performance.now();
      await producer.sendBatch({ acks: -1, compression: kafkajs.CompressionTypes.ZSTD, topicMessages: byTopic(taken) });
      const acknowledgedAt = performance.now();
      if (begunAt - startedAt >= warmUpMs) {
        fromSend.record(acknowledgedAt - sendAt);
        taken.forEach((_, index) => {
          fromDue.record(acknowledgedAt - startedAt - ((sent + index + 1) * SECOND_MS) / rate);
        });
      }
      sent += taken.length;
    }
    await sleep(Math.max(0, SEND_EVERY_MS - (performance.now() - begunAt)));
  }
  await producer.disconnect();
  return { sent, fromDue: fromDue.buckets(), fromSend: fromSend.buckets() };
}

function byTopic(records: readonly TapedRecord[]): TopicMessages[] {
  return [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, own]) => ({
    topic: `bare.${topic}`,
    messages: own.map(({ partition, key, headers, value }) => ({ partition, key, headers, value })),
  }));
}
