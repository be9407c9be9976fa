import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainVenue } from '../test/plain-venue.js';
import { TestClient } from './testing.js';
import { startVenueSimulator, type VenueSimulator } from './simulator.js';
import type { VenueSimulatorOptions } from './settings.js';

let stopping: AbortController;
let folder: string;
let running: VenueSimulator[];

beforeEach(async () => {
  stopping = new AbortController();
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((simulator) => simulator.stop()));
  await rm(folder, { recursive: true });
});

const MARKET = { kind: 'market', seed: 7, rate: 'max' } as const;

async function start(options: Partial<VenueSimulatorOptions> = {}): Promise<VenueSimulator> {
  const simulator = await startVenueSimulator({
    venue: plainVenue(),
    source: MARKET,
    signal: stopping.signal,
    ...options,
  });
  running.push(simulator);
  return simulator;
}

describe('the simulated market', () => {
  it('has URLs of the venue’s shape on a free port of this machine', async () => {
    const { websocketUrl, apiUrl } = await start();
    expect(websocketUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/socket$/);
    expect(apiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api$/);
  });

  it('sends the snapshot of a stream before its real-time events, and each event once', async () => {
    const client = await TestClient.connect((await start()).websocketUrl);
    client.send('A');
    const texts = await client.texts(400);
    expect(texts.slice(0, 2)).toEqual(['A tick snapshot 7', 'A orderbook snapshot 7']);
    for (const key of ['A tick', 'A orderbook']) {
      const own = texts.filter((text) => text.startsWith(key)).slice(1);
      expect(own).toEqual(own.map((_, at) => `${key} realtime ${8 + at}`));
    }
  });

  it('makes the wanted share of events trades', async () => {
    const client = await TestClient.connect((await start({ source: { ...MARKET, tradeShare: 0.25 } })).websocketUrl);
    client.send('A B');
    const texts = (await client.texts(4004)).slice(4);
    expect(texts.filter((text) => text.includes('tick')).length / 4000).toBeCloseTo(0.25, 1);
  });

  it('gives the same events for the same seed', async () => {
    const run = async (): Promise<string[]> => {
      const client = await TestClient.connect((await start()).websocketUrl);
      client.send('B A');
      return client.texts(300);
    };
    expect(await run()).toEqual(await run());
  });

  it('gives each client what it has subscribed to, and one event to all who want it', async () => {
    const { websocketUrl } = await start();
    const [a, both] = await Promise.all([TestClient.connect(websocketUrl), TestClient.connect(websocketUrl)]);
    both.send('A B');
    await both.texts(4);
    a.send('A');
    const own = await a.texts(200);
    expect(own.filter((text) => !text.startsWith('A '))).toEqual([]);
    const last = own.filter((text) => text.startsWith('A tick realtime')).at(-1);
    for (;;) if ((await both.nextText()) === last) break;
  });

  it('lists only the codes it was given', async () => {
    const { apiUrl, websocketUrl } = await start({ source: { ...MARKET, symbols: ['B'] } });
    expect(await (await fetch(`${apiUrl}/codes`)).text()).toBe('B');
    const client = await TestClient.connect(websocketUrl);
    client.send('A B');
    expect((await client.texts(50)).filter((text) => text.startsWith('A'))).toEqual([]);
  });
});

describe('its connections', () => {
  it('are told of when they have opened, subscribed for the first time, and ended', async () => {
    const changes: string[] = [];
    const ended = Promise.withResolvers<undefined>();
    const { websocketUrl } = await start({
      onConnection: ({ connection, event }) => {
        changes.push(`${connection} ${event}`);
        if (event === 'ended') ended.resolve(undefined);
      },
    });
    const client = await TestClient.connect(websocketUrl);
    client.send('A');
    await client.texts(1);
    client.send('A B');
    for (;;) if ((await client.nextText()).startsWith('B')) break;
    client.socket.close();
    await ended.promise;
    expect(changes).toEqual(['c1 opened', 'c1 subscribed', 'c1 ended']);
  });
});

describe('finish', () => {
  it('closes with 1000 after the last frame, and the client has every frame before', async () => {
    const simulator = await start();
    const client = await TestClient.connect(simulator.websocketUrl);
    client.send('A B');
    const first = await client.texts(500);
    await simulator.finish();
    expect(await client.closed).toBe(1000);
    expect(first.length + (await client.rest()).length).toBe(simulator.sent);
  });
});

describe('the journal', () => {
  it('holds every frame in the order sent, with its stream and reference', async () => {
    const path = join(folder, 'journal.jsonl');
    const simulator = await start({ journal: { path, frames: true } });
    const client = await TestClient.connect(simulator.websocketUrl);
    client.send('A B');
    const first = await client.texts(1000);
    await simulator.finish();
    const received = [...first, ...(await client.rest())];
    const entries = (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries.map(({ frame }) => frame)).toEqual(received);
    expect(entries.map(({ seq }) => seq)).toEqual(received.map((_, at) => at + 1));
    expect(new Set(entries.map(({ ref }) => ref)).size).toBe(entries.length);
    expect(entries[0]).toMatchObject({ connection: 'c1', symbol: 'A', channel: 'tick', snapshot: true });
    expect(entries[0]?.['sent_at_ns']).toMatch(/^\d{19}$/);
  });
});

describe('connections', () => {
  it('are cut without a close frame when the client is silent for too long', async () => {
    const { websocketUrl } = await start({ idleLimitMs: 20 });
    const client = await TestClient.connect(websocketUrl);
    expect(await client.closed).toBe(1006);
  });

  it('answer a ping with a pong that carries the same bytes', async () => {
    const client = await TestClient.connect((await start()).websocketUrl);
    const pong = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping('are you there');
    expect(String(await pong)).toBe('are you there');
  });

  it('are refused with 404 at any other path', async () => {
    const { websocketUrl } = await start();
    await expect(TestClient.connect(websocketUrl.replace('/socket', '/other'))).rejects.toThrow('404');
  });
});

describe('a client that sends what nobody should', () => {
  const ask = async (port: number, head: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.end(`${head}\r\nHost: simulator\r\n\r\n`);
    return readText(socket);
  };

  it('is answered 400 when its target is no URL, and the others are served on', async () => {
    const { apiUrl } = await start();
    const port = Number(new URL(apiUrl).port);
    const upgrade = '\r\nConnection: Upgrade\r\nUpgrade: websocket';
    expect(await ask(port, 'GET http://[/ HTTP/1.1')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(port, `GET http://[/ HTTP/1.1${upgrade}`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(port, `GET /nowhere HTTP/1.1${upgrade}`)).toMatch(/^HTTP\/1\.1 404 /);
    expect((await fetch(`${apiUrl}/codes`)).status).toBe(200);
  });

  it('loses its own connection with 1011 when the venue trips over its message', async () => {
    const plain = plainVenue();
    const { websocketUrl } = await start({
      venue: {
        ...plain,
        accept: (client, listed) => {
          const connection = plain.accept(client, listed);
          const { onText } = connection;
          connection.onText = (text) => {
            if (text === 'trip') throw new TypeError('Cannot convert object to primitive value');
            onText(text);
          };
          return connection;
        },
      },
    });
    const [careful, careless] = await Promise.all([TestClient.connect(websocketUrl), TestClient.connect(websocketUrl)]);
    careless.send('trip');
    expect(await careless.closed).toBe(1011);
    careful.send('A');
    expect(await careful.texts(2)).toEqual(['A tick snapshot 7', 'A orderbook snapshot 7']);
  });
});

describe('starting', () => {
  it('names the port that is in use', async () => {
    const port = Number(new URL((await start()).websocketUrl).port);
    await expect(start({ port })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `the simulator's port ${port} on 127.0.0.1 is in use by another process; choose another one, or 0 for any that is free`,
    });
  });

  it.each([
    [{ ...MARKET, rate: 0 }, 'rate is 0'],
    [{ ...MARKET, tradeShare: 1.5 }, 'trade share is 1.5'],
    [{ ...MARKET, symbols: ['A', 'Z'] }, 'has no market Z'],
    [{ kind: 'frames' as const, path: 'f', speed: -1 }, 'speed is -1'],
    [{ kind: 'frames' as const, path: 'f', speed: 1, from: 0.5 }, 'from is 0.5'],
  ])('refuses %o', async (source, message) => {
    await expect(start({ source })).rejects.toThrow(message);
  });

  it('ends at once when the signal is aborted', async () => {
    const client = await TestClient.connect((await start()).websocketUrl);
    stopping.abort();
    expect(await client.closed).toBe(1006);
  });
});
