import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { FaultLog } from './fault-log.js';
import { createLogger } from './logger.js';

describe('faults that come again and again', () => {
  it('are told at once, then every ten seconds with the number of those in between, each kind by itself', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(String(JSON.parse(line).message)) };
    let now = 0;
    const faults = new FaultLog(createLogger({ service: 'x', format: 'json', destination }), () => now);
    const away = new MarketDataError('PUBLISH_FAILED', 'away', { retryable: true });
    for (now = 0; now <= 12_000; now += 1_000) faults.tell('publishing', away);
    faults.tell('publishing', new MarketDataError('STORE_UNAVAILABLE', 'disk full'));
    expect(lines).toEqual([
      'publishing: away',
      'publishing: away (and 9 times since it was last told)',
      'publishing: disk full',
    ]);
  });
});
