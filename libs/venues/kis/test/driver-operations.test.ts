import type { TradingNews } from '@aipx/venue';
import { afterEach, describe, expect, it } from 'vitest';
import { kisDriver } from '../src/index.js';
import { Host } from './simulator-host.js';

describe('market operations between driver and venue', () => {
  let host: Host | undefined;

  afterEach(async () => {
    await host?.stop();
  });

  it('say when a symbol is halted and when it trades again', async () => {
    host = await Host.start({
      rate: 20,
      settings: {
        day: { date: '20261123', from: '092955', speed: 100 },
        // Again and again: whoever comes too late for one sees the next.
        halts: Array.from({ length: 30 }, (_, minute) => ({
          code: '005930',
          from: `09${30 + minute}00`,
          to: `09${30 + minute}30`,
          kind: 'halt' as const,
        })),
      },
    });
    const session = kisDriver().openSession({
      subscriptions: [
        { symbol: '005930', channel: 'tick' },
        { symbol: '005930', channel: 'orderbook' },
      ],
      bookDepth: 10,
      connectionId: 'c1',
      secret: await host.approvalKey(),
    });
    const client = await host.connect();
    for (const text of session.opening) client.send(JSON.parse(text) as object);
    const news: TradingNews[] = [];
    while (news.length < 2) {
      const reading = session.read(Buffer.from(await client.nextText()), 1n);
      if (reading.kind === 'refusal') throw reading.error;
      news.push(...(reading.trading ?? []));
      if (news[0]?.isHalted === false) news.shift();
    }
    expect(news).toEqual([
      { symbol: '005930', isHalted: true, detail: 'halted' },
      { symbol: '005930', isHalted: false, detail: 'trades as usual' },
    ]);
  });
});
