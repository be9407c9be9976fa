import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { entry, readAll, textOf } from '../../src/contract/entries.js';
import type { KafkaEventLog } from '../../src/kafka/index.js';
import { COMPRESSIONS } from '../../src/kafka/codecs/compression.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';

const KEY = 'KRW-BTC';
const noKcat = spawnSync('kcat', ['-V']).status !== 0;
const KCAT = noKcat ? 'kcat (there is none; Debian, Ubuntu: apt-get install kcat)' : 'kcat';

/** Long enough to be worth compressing, and never the same twice. */
const TEXTS = Array.from({ length: 500 }, (_, n) => `trade ${n} of KRW-BTC at 97000000 KRW, taker sold 0.00${n}`);

describe.skipIf(noKafka)(`Compression on ${ON_KAFKA}`, () => {
  let log: KafkaEventLog;

  afterEach(() => log?.close());

  describe.each(COMPRESSIONS)('%s', (compression) => {
    it('is read as it was written', async () => {
      const topic = ownName(compression);
      log = await openKafkaLog({ topics: { [topic]: 1 }, compression });
      await log.append(TEXTS.map((text) => entry(KEY, text, topic)));
      expect((await readAll(log, { topic, partition: 0 }, 1_000)).map(textOf)).toEqual(TEXTS);
    });

    it.skipIf(noKcat)(`is read by ${KCAT}, which shares no code with it: keys, headers and values`, async () => {
      const topic = ownName(compression);
      log = await openKafkaLog({ topics: { [topic]: 1 }, compression });
      await log.append(TEXTS.map((text) => entry(KEY, text, topic)));
      const lines = await kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%o|%k|%h|%s\n']);
      const headers = 'exchange=upbit,schema=aipx.market.v1.TickData';
      expect(lines.trimEnd().split('\n')).toEqual(TEXTS.map((text, offset) => `${offset}|${KEY}|${headers}|${text}`));
    });

    it.skipIf(noKcat)(`written by ${KCAT} is read`, async () => {
      const topic = ownName(compression);
      log = await openKafkaLog({ topics: { [topic]: 1 }, compression });
      await kcat(
        ['-P', '-t', topic, '-K', '|', '-z', compression, '-H', 'exchange=upbit'],
        TEXTS.map((text) => `${KEY}|${text}\n`).join(''),
      );
      const records = await readAll(log, { topic, partition: 0 }, 1_000);
      expect(records.map(textOf)).toEqual(TEXTS);
      expect(new Set(records.map(({ key }) => key))).toEqual(new Set([KEY]));
      expect(records[0]?.headers).toEqual({ exchange: 'upbit' });
    });
  });
});

async function kcat(args: readonly string[], input = ''): Promise<string> {
  const child = spawn('kcat', ['-b', inject('kafka').brokers.join(','), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`kcat ended with ${code}`);
  return output;
}
