import { afterEach, describe, expect, it } from 'vitest';
import { acknowledgement, dataFrame, Host, register, type DataFrame } from './simulator-host.js';

const TRADE_FIELDS = 47;
const CODE = 0;
const TIME = 1;
const SIZE = 12;
const CUMULATIVE = 13;
const MARKET_CLASS = 46;
const HOUR_CLASS = 2;

let host: Host;

afterEach(async () => {
  await host.stop();
});

function records({ fields, count }: DataFrame): readonly (readonly string[])[] {
  return Array.from({ length: count }, (_, at) => fields.slice(at * TRADE_FIELDS, (at + 1) * TRADE_FIELDS));
}

describe('a day at an accelerated clock, over a socket', () => {
  it('goes from the pre-open through both auctions to the after-market, and no volume is missing', async () => {
    // Every look at the clock takes it three seconds further, so that the test does not depend on the machine's speed; it
    // stands still until everything is registered.
    let wall = 0;
    let step = 0;
    const day = { date: '20261123', from: '083000', speed: 1 };
    host = await Host.start({ settings: { day, halts: [], wall: () => (wall += step) } });
    const client = await host.connect();
    const key = await host.approvalKey();
    const codes = ['005930', '000660', '207940', '0193T0'];
    for (const transaction of ['H0STCNT0', 'H0STASP0']) {
      for (const code of codes) {
        client.send(register(key, transaction, code));
        await acknowledgement(client);
      }
    }

    step = 3_000;

    const cumulative = new Map<string, number>();
    const hourClasses = new Set<string>();
    const marketClasses = new Set<string>();
    for (let time = ''; time < '195500';) {
      const frame = await dataFrame(client);
      if (frame.transaction === 'H0STASP0') {
        hourClasses.add(frame.fields[HOUR_CLASS] ?? '');
        continue;
      }
      for (const record of records(frame)) {
        const code = record[CODE] ?? '';
        time = record[TIME] ?? '';
        cumulative.set(code, (cumulative.get(code) ?? 0) + Number(record[SIZE]));
        expect(Number(record[CUMULATIVE])).toBe(cumulative.get(code));
        marketClasses.add(record[MARKET_CLASS] ?? '');
      }
    }
    expect([...cumulative.keys()].sort()).toEqual([...codes].sort());
    expect([...hourClasses]).toEqual(['B', '0', 'A']);
    expect([...marketClasses]).toEqual(['2', '5', '3']);
  });
});
