import type { SessionOptions } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { UpbitSession } from '../session.js';
import { isData } from './recorded.js';

const MESSAGES: readonly (readonly [message: string, data: boolean])[] = [
  ['{"type":"trade","code":"KRW-BTC","status":"UP"}', true],
  ['{"ty":"orderbook","cd":"KRW-BTC","error":{}}', true],
  ['{"type":"ticker","code":"KRW-BTC","status":"UP"}', true],
  ['{"ty":"candle.1s","cd":"KRW-BTC","status":"UP"}', true],
  ['{"type":null,"ty":"trade","status":"UP"}', true],
  ['{"type":"news"}', true],
  ['{"type":"news","status":"UP"}', false],
  ['{"type":1,"status":"UP"}', false],
  ['{"status":"UP"}', false],
  ['{"status":0}', false],
  ['{"status":null}', true],
  ['{"mthd":null}', false],
  ['{"error":{"name":"NO_TICKET","message":""}}', false],
  ['{"error":{}}', false],
  ['{"error":"text"}', true],
  ['{"error":[]}', true],
  ['{"error":null}', true],
  ['{"error":null,"status":"UP"}', false],
  ['{"method":"LIST_SUBSCRIPTIONS","result":[],"ticket":"t"}', false],
  ['{"mthd":"LIST_SUBSCRIPTIONS","rslt":[],"tckt":"t"}', false],
  ['{}', true],
  ['1', true],
  ['"status"', true],
  ['null', true],
  ['true', true],
];

const LISTS: readonly (readonly [list: string, data: boolean])[] = [
  ['[]', true],
  ['[[]]', true],
  ['[[{"status":"UP"}]]', true],
  ['[{"status":"UP"},{"error":{}},{"mthd":"LIST_SUBSCRIPTIONS"}]', false],
  ['[{"status":"UP"},{"type":"trade","code":"KRW-BTC"}]', true],
  ['[{"error":{}},{"type":"orderbook","code":"KRW-BTC"}]', true],
  ['[{"status":"UP"},1]', true],
  ['[null,{"error":{}}]', true],
  ['[{"status":"UP"}', true],
];

const SESSION: SessionOptions = {
  subscriptions: [
    { symbol: 'KRW-BTC', channel: 'tick' },
    { symbol: 'KRW-BTC', channel: 'orderbook' },
  ],
  bookDepth: 15,
  connectionId: 'test',
};

/** A simulator that leaves out what the driver counts, or plays what it does not, makes the counts of a replay differ. */
describe('what is recorded is market data for the simulator and the driver alike', () => {
  it.each([...MESSAGES, ...MESSAGES.map(([message, data]) => [`[${message}]`, data] as const), ...LISTS])(
    '%s: %j',
    (frame, data) => {
      const reading = new UpbitSession(SESSION).read(Buffer.from(frame, 'utf8'), 0n);
      expect({ simulator: isData(frame), driver: reading.kind === 'data' }).toEqual({ simulator: data, driver: data });
    },
  );
});
