import { describe, expect, it } from 'vitest';
import { ReconnectingWebSocket, type ReconnectingWebSocketOptions } from '../src/index.js';

const RECONNECT = { floorMs: 5, capMs: 20, factor: 2, jitter: 0, retries: 0 };

function make(options: Partial<ReconnectingWebSocketOptions>): ReconnectingWebSocket {
  return new ReconnectingWebSocket({
    url: 'ws://127.0.0.1:1/',
    handshakeTimeoutMs: 5_000,
    silenceTimeoutMs: 60_000,
    reconnect: RECONNECT,
    signal: AbortSignal.abort(),
    onFrame: () => undefined,
    ...options,
  });
}

describe('a connection', () => {
  it('refuses options that cannot be, naming option and value', () => {
    const cases: readonly (readonly [Partial<ReconnectingWebSocketOptions>, RegExp])[] = [
      [{ url: 'http://127.0.0.1/' }, /^url is "http:\/\/127.0.0.1\/"; expected a WebSocket address/],
      [{ url: 'nonsense' }, /^url is "nonsense"/],
      [{ handshakeTimeoutMs: 0 }, /^handshakeTimeoutMs is 0/],
      [{ silenceTimeoutMs: Number.NaN }, /^silenceTimeoutMs is /],
      [{ silenceTimeoutMs: 3_000_000_000 }, /^silenceTimeoutMs is 3000000000; .* at most 2147483647/],
      [{ maxFrameBytes: 0.5 }, /^maxFrameBytes is 0.5/],
      [
        { keepAlive: { everyMs: 30_000, idleLimitMs: 60_000 } },
        /^keepAlive.everyMs is 30000; expected below half of .*60000 ms/,
      ],
    ];
    for (const [options, message] of cases) {
      expect(() => make(options)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
      );
    }
  });

  it('refuses a policy that cannot be, naming option and value', () => {
    const cases = [
      [{ floorMs: 0 }, /^reconnect.floorMs is 0/],
      [{ floorMs: 100, capMs: 50 }, /^reconnect.capMs is 50; expected at least reconnect.floorMs, which is 100/],
      [{ factor: 0.5 }, /^reconnect.factor is 0.5/],
      [{ jitter: 1.5 }, /^reconnect.jitter is 1.5/],
      [{ retries: -1 }, /^reconnect.retries is -1/],
      [{ retries: 1.5 }, /^reconnect.retries is 1.5/],
    ] as const;
    for (const [policy, message] of cases) {
      expect(() => make({ reconnect: { ...RECONNECT, ...policy } })).toThrow(message);
    }
    expect(() => make({ keepAlive: { everyMs: 60, idleLimitMs: 120 } })).toThrow(/^keepAlive.everyMs is 60/);
    expect(() => make({ keepAlive: { everyMs: 59, idleLimitMs: 120, pongTimeoutMs: 0 } })).toThrow(
      /^keepAlive.pongTimeoutMs is 0; expected milliseconds above 0/,
    );
  });
});
