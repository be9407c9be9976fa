import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import type { ConnectGate, ConnectTurn } from '../src/index.js';
import { ReconnectingFixture } from './reconnecting-fixture.js';
import { Mailbox } from './venue-server.js';

interface Asked {
  readonly start: () => void;
  readonly refuse: (error: MarketDataError) => void;
}

/** A gate that is opened by hand. */
class ManualGate implements ConnectGate {
  readonly asked = new Mailbox<Asked>();
  waiting = 0;

  request(start: () => void, refuse: (error: MarketDataError) => void): ConnectTurn {
    this.waiting += 1;
    this.asked.put({ start, refuse });
    let isHeld = true;
    return {
      release: () => {
        if (isHeld) this.waiting -= 1;
        isHeld = false;
      },
    };
  }
}

describe('a gate before each attempt to connect', () => {
  let fixture: ReconnectingFixture;
  let gate: ManualGate;

  beforeEach(async () => {
    fixture = await ReconnectingFixture.start();
    gate = new ManualGate();
  });

  afterEach(() => fixture[Symbol.asyncDispose]());

  it('is waited for: nothing reaches the venue before it opens', async () => {
    const connected = fixture.make({ gate }).connect();
    const { start } = await gate.asked.take();
    expect(fixture.venue.handshakesAt).toEqual([]);
    start();
    await connected;
    expect(fixture.venue.handshakesAt).toHaveLength(1);
  });

  it('is asked again after a wait when it refuses for now', async () => {
    const connected = fixture.make({ gate }).connect();
    const error = new MarketDataError('CONNECTION_FAILED', 'no approval key yet', { retryable: true });
    (await gate.asked.take()).refuse(error);
    expect(await fixture.changes.take()).toMatchObject({ trigger: 'connect' });
    expect(await fixture.changes.take()).toMatchObject({ trigger: 'lost', error, failures: 1 });
    (await gate.asked.take()).start();
    await connected;
    expect(fixture.history).toEqual([
      'DISCONNECTED connect CONNECTING',
      'CONNECTING lost RECONNECTING',
      'RECONNECTING opened CONNECTED',
    ]);
  });

  it('ends it all when it refuses for good', async () => {
    const connected = fixture.make({ gate }).connect();
    const error = new MarketDataError('CONFIG_INVALID', 'the venue does not know this key');
    (await gate.asked.take()).refuse(error);
    await expect(connected).rejects.toBe(error);
    expect(fixture.history.at(-1)).toBe('CONNECTING failed FAILED');
    expect([gate.waiting, fixture.venue.handshakesAt]).toEqual([0, []]);
  });

  it('hears when nobody waits any more', async () => {
    const socket = fixture.make({ gate });
    void socket.connect().catch(() => undefined);
    await gate.asked.take();
    expect(gate.waiting).toBe(1);
    await socket.close();
    expect(gate.waiting).toBe(0);
  });
});
