import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainVenue } from '../test/plain-venue.js';
import { talkingVenue, type Heard } from '../test/talking-venue.js';
import { startVenueSimulator, type VenueSimulator } from './simulator.js';
import type { VenueSimulatorOptions } from './settings.js';
import { TestClient } from './testing.js';

let simulator: VenueSimulator;
let heard: Heard;
let ended: PromiseWithResolvers<void>;

beforeEach(() => {
  heard = { pongs: [], ends: [], faults: [] };
  ended = Promise.withResolvers();
});

afterEach(() => simulator.stop());

async function start(options: Partial<VenueSimulatorOptions> = {}): Promise<void> {
  simulator = await startVenueSimulator({
    venue: talkingVenue(heard),
    source: { kind: 'market', seed: 1, rate: 'max' },
    faultsEndpoint: true,
    onConnection: ({ event }) => {
      if (event === 'ended') ended.resolve();
    },
    signal: new AbortController().signal,
    ...options,
  });
}

describe('a venue that says more than the plain one', () => {
  it('answers on further paths', async () => {
    await start();
    const client = await TestClient.connect(`${simulator.websocketUrl}/A`);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('takes requests with a method, headers and a body', async () => {
    await start();
    const response = await fetch(`${simulator.apiUrl}/anything`, {
      method: 'POST',
      headers: { 'X-Name': 'me' },
      body: 'text',
    });
    expect(await response.text()).toBe('POST me text');
    expect((await fetch(`${simulator.apiUrl}/anything`, { method: 'DELETE' })).status).toBe(404);
  });

  it('sends text frames, once its market no longer rests, and journals segment and records', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'venue-simulator-'));
    try {
      const path = join(folder, 'sent.jsonl');
      await start({ journal: { path } });
      const client = await TestClient.connect(simulator.websocketUrl);
      client.send('A');
      simulator.inject({ fault: 'venue', own: { name: 'wake' } });
      expect(await client.next()).toEqual({ bytes: Buffer.from('A'), binary: false });
      await simulator.finish();
      const [line = ''] = (await readFile(path, 'utf8')).split('\n');
      expect(JSON.parse(line)).toMatchObject({
        symbol: 'A',
        channel: 'tick',
        segment: 'NIGHT',
        ref: '12',
        records: [
          { ref: '9', volume: 2, cumulative: 9, fate: 'lost' },
          { ref: '12', volume: 3, cumulative: 12, fate: 'sent' },
        ],
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has its market played when it grants a subscription later, on its own', async () => {
    await start();
    const client = await TestClient.connect(simulator.websocketUrl);
    simulator.inject({ fault: 'venue', own: { name: 'wake' } });
    client.send('later');
    expect(await client.nextText()).toBe('A');
  });

  it('hears pongs, and how a connection ended', async () => {
    await start();
    const client = await TestClient.connect(simulator.websocketUrl);
    client.socket.pong('here');
    client.socket.terminate();
    await ended.promise;
    expect(heard).toMatchObject({ pongs: ['here'], ends: [1006] });
  });

  it('can end a connection without a close frame', async () => {
    await start();
    const client = await TestClient.connect(simulator.websocketUrl);
    client.send('drop');
    expect(await client.closed).toBe(1006);
  });

  it('breaks frames in ways of its own', async () => {
    await start();
    const client = await TestClient.connect(simulator.websocketUrl);
    simulator.inject({ fault: 'garbage' });
    simulator.inject({ fault: 'garbage', kind: 'badly' });
    expect(await client.texts(2)).toEqual(['broken plainly', 'broken badly']);
    expect(simulator.sent).toBe(2);
  });

  it('has faults of its own, in its own words', async () => {
    await start();
    const post = (own: unknown): Promise<Response> =>
      fetch(new URL('/__simulator/faults', simulator.apiUrl), {
        method: 'POST',
        body: JSON.stringify({ fault: 'venue', own }),
      });
    expect((await post({ name: 'wake', at: 3 })).status).toBe(204);
    expect((await post({ name: 'sleep' })).status).toBe(400);
    expect(heard.faults).toEqual([{ name: 'wake', at: 3 }, { name: 'sleep' }]);
  });

  it('is not asked for faults of its own where it has none', async () => {
    await start({ venue: plainVenue() });
    expect(() => {
      simulator.inject({ fault: 'venue', own: {} });
    }).toThrow('the simulated plain has no faults of its own');
  });
});
