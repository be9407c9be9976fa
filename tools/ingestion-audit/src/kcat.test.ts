import { describe, expect, it } from 'vitest';
import { takeMessages, type KafkaMessage } from './kcat.ts';

function printed(key: string, value: Uint8Array, headers: string, offset: number): Buffer {
  const keyBytes = Buffer.from(key);
  return Buffer.concat([Buffer.from(`3 ${offset} ${keyBytes.length} ${value.length} ${headers}\n`), keyBytes, value]);
}

describe('what kcat prints', () => {
  const values = [Buffer.from([0, 10, 13, 32, 255]), Buffer.alloc(0), Buffer.from('3 9 1 1 \n')];
  const output = Buffer.concat(values.map((value, at) => printed('KRW-BTC', value, 'exchange=upbit', at)));

  it('is read exactly, whatever bytes a value holds and wherever the output is cut', () => {
    for (let cut = 0; cut <= output.length; cut += 1) {
      const messages: KafkaMessage[] = [];
      const take = (bytes: Buffer) => takeMessages('market.tick', bytes, (message) => messages.push(message));
      const rest = take(output.subarray(0, cut));
      expect(take(Buffer.concat([rest, output.subarray(cut)]))).toHaveLength(0);
      expect(messages.map(({ value }) => Buffer.from(value))).toEqual(values);
      expect(messages.map(({ offset, key, headers }) => [offset, key, headers])).toEqual(
        values.map((_, at) => [at, 'KRW-BTC', 'exchange=upbit']),
      );
    }
  });

  it('may have no key and no headers', () => {
    const messages: KafkaMessage[] = [];
    takeMessages('market.dlq', Buffer.from('0 5 -1 2 \nab'), (message) => messages.push(message));
    expect(messages).toMatchObject([{ topic: 'market.dlq', partition: 0, offset: 5, key: '', headers: '' }]);
  });

  it('is refused when it is something else', () => {
    const complaint = Buffer.from('% ERROR: unknown partition\n');
    expect(() => takeMessages('market.tick', complaint, () => undefined)).toThrow('% ERROR: unknown partition');
  });
});
