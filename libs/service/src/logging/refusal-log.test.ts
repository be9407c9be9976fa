import { MarketDataError } from '@aipx/market-model';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from './logger.js';
import { RefusalLog } from './refusal-log.js';

afterEach(() => void vi.useRealTimers());

function scene() {
  vi.useFakeTimers();
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(String(JSON.parse(line).message)) };
  const log = new RefusalLog(createLogger({ service: 'x', format: 'json', destination }));
  const refuse = (symbol: string, channel: string, code = 'OPSP8992') =>
    log.tell(
      'kis',
      { symbol, channel },
      new MarketDataError('CONNECTION_REFUSED_BY_VENUE', code, { context: { code } }),
    );
  return { log, lines, refuse };
}

describe('streams that a venue refuses', () => {
  it('are told of once a symbol and reason, a second later', () => {
    const { lines, refuse } = scene();
    refuse('034730', 'tick');
    refuse('096770', 'tick');
    refuse('034730', 'orderbook');
    refuse('096770', 'orderbook', 'OPSP0009');
    vi.advanceTimersByTime(999);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(lines).toEqual([
      'kis does not send 034730 (tick, orderbook): OPSP8992',
      'kis does not send 096770 (tick): OPSP8992',
      'kis does not send 096770 (orderbook): OPSP0009',
    ]);
  });

  it('are told of again when they are refused again, and before the end', () => {
    const { log, lines, refuse } = scene();
    refuse('034730', 'tick');
    vi.advanceTimersByTime(1_000);
    refuse('034730', 'tick');
    log.flush();
    log.flush();
    expect(lines).toEqual(Array.from({ length: 2 }, () => 'kis does not send 034730 (tick): OPSP8992'));
  });
});
