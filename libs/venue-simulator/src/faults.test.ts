import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { plainVenue } from '../test/plain-venue.js';
import { TestClient } from './testing.js';
import { startVenueSimulator, type VenueSimulator } from './simulator.js';

let simulator: VenueSimulator;

beforeEach(async () => {
  simulator = await startVenueSimulator({
    venue: plainVenue(),
    source: { kind: 'market', seed: 1, rate: 'max' },
    faultsEndpoint: true,
    signal: new AbortController().signal,
  });
});
afterEach(() => simulator.stop());

async function subscriber(): Promise<TestClient> {
  const client = await TestClient.connect(simulator.websocketUrl);
  client.send('A');
  await client.texts(2);
  return client;
}

describe('faults', () => {
  it('cut every connection, cleanly or by reset', async () => {
    for (const [how, code] of [
      ['close', 1000],
      ['reset', 1006],
    ] as const) {
      const clients = [await subscriber(), await subscriber()];
      simulator.inject({ fault: 'cut', how });
      expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([code, code]);
    }
  });

  it('leave connections half open: nothing passes, not even a close, and what is sent counts, while new ones work', async () => {
    const dead = await subscriber();
    simulator.inject({ fault: 'half-open' });
    const handedOver = simulator.sent;
    let answered = false;
    dead.socket.on('pong', () => (answered = true));
    dead.socket.ping();
    const alive = await subscriber();
    await alive.texts(1000);
    // More is sent than the new client got: the market still has a client that it does not know to be gone.
    expect(simulator.sent - handedOver).toBeGreaterThan(2000);
    expect({ answered, state: dead.socket.readyState }).toEqual({ answered: false, state: WebSocket.OPEN });
    dead.socket.close(1000);
    await alive.texts(1000);
    expect(dead.socket.readyState).toBe(WebSocket.CLOSING);
    dead.socket.terminate();
    expect(await dead.closed).toBe(1006);
    expect((await dead.rest()).length).toBeLessThanOrEqual(handedOver);
  });

  it('cut half-open connections too, and do not keep the simulator from finishing', async () => {
    const [cut, left] = [await subscriber(), await subscriber()];
    simulator.inject({ fault: 'half-open' });
    simulator.inject({ fault: 'cut', how: 'close' });
    expect(await Promise.all([cut.closed, left.closed])).toEqual([1006, 1006]);
    const last = await subscriber();
    simulator.inject({ fault: 'half-open' });
    await simulator.finish();
    expect(await last.closed).toBe(1006);
  });

  it('leave a handshake unanswered, and only so many', async () => {
    simulator.inject({ fault: 'hang-handshakes', count: 1 });
    const outcomes = [0, 1].map(async () => {
      const socket = new WebSocket(simulator.websocketUrl);
      return new Promise<string>((resolve) => {
        socket.once('open', () => {
          resolve('open');
        });
        socket.once('error', () => {
          resolve('never answered');
        });
      });
    });
    expect(await Promise.race(outcomes)).toBe('open');
    await simulator.stop();
    expect((await Promise.all(outcomes)).sort()).toEqual(['never answered', 'open']);
  });

  it('refuse the next connections with a status', async () => {
    simulator.inject({ fault: 'refuse-connections', count: 2, status: 503 });
    await expect(TestClient.connect(simulator.websocketUrl)).rejects.toThrow('503');
    await expect(TestClient.connect(simulator.websocketUrl)).rejects.toThrow('503');
    await subscriber();
  });

  it('answer 429 above a limit of connections a second', async () => {
    simulator.inject({ fault: 'limit-connections', perSecond: 1 });
    await subscriber();
    await expect(TestClient.connect(simulator.websocketUrl)).rejects.toThrow('429');
    simulator.inject({ fault: 'limit-connections', perSecond: 0 });
    await subscriber();
  });

  it('fall silent: no data, no answer to a ping, and no loss', async () => {
    const client = await subscriber();
    simulator.inject({ fault: 'silence', on: true });
    const sent = simulator.sent;
    let ponged = false;
    client.socket.on('pong', () => (ponged = true));
    client.socket.ping();
    // The answer to a later request shows that the ping was seen.
    await fetch(`${simulator.apiUrl}/codes`).then((answer) => answer.text());
    expect({ ponged, sent: simulator.sent }).toEqual({ ponged: false, sent });
    simulator.inject({ fault: 'silence', on: false });
    await client.texts(sent + 100);
  });

  it('send a broken frame, which counts as sent', async () => {
    const idle = await TestClient.connect(simulator.websocketUrl);
    simulator.inject({ fault: 'garbage' });
    const text = await idle.nextText();
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(text).not.toMatch(/trade|orderbook|[A-Z]{3}-/);
    expect(simulator.sent).toBe(1);
  });

  it('refuse every client in the venue’s own way', async () => {
    const client = await TestClient.connect(simulator.websocketUrl);
    simulator.inject({ fault: 'refuse-clients' });
    expect(await client.nextText()).toBe('refused');
    expect(await client.closed).toBe(1000);
  });

  it('are taken from the control endpoint', async () => {
    const client = await subscriber();
    const answer = await post('{"fault":"cut","how":"reset"}');
    expect(answer.status).toBe(204);
    expect(await client.closed).toBe(1006);
  });

  it.each([
    ['', 'a JSON object'],
    ['{"fault":"flood"}', 'fault \\"flood\\" is not known; expected cut'],
    ['{"fault":"cut"}', 'field how is undefined; expected close or reset'],
    ['{"fault":"hang-handshakes","count":-1}', 'field count is -1; expected a whole number'],
  ])('refuse %j at the control endpoint', async (body, message) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(message);
  });
});

function post(body: string): Promise<Response> {
  return fetch(new URL('/__simulator/faults', simulator.apiUrl), { method: 'POST', body });
}
