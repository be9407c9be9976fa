import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReconnectingWebSocket, type ReconnectingWebSocketOptions, type StateChange } from '../src/index.js';
import { TRANSITIONS, type ConnectionState, type ConnectionTrigger } from '../src/states.js';
import { Mailbox, VenueServer, type HeldHandshake, type VenueClient } from './venue-server.js';

const STATES = Object.keys(TRANSITIONS) as ConnectionState[];
const TRIGGERS: readonly ConnectionTrigger[] = ['connect', 'opened', 'lost', 'failed', 'close'];
const PAIRS = STATES.flatMap((state) =>
  TRIGGERS.map((trigger) => ({ state, trigger, next: TRANSITIONS[state][trigger] ?? state })),
);
const HTTP_STATUS = { lost: 503, failed: 403 } as const;

let venue: VenueServer;
let stop: AbortController;
let changes: Mailbox<StateChange>;

beforeEach(async () => {
  venue = await VenueServer.start();
  stop = new AbortController();
  changes = new Mailbox();
});

afterEach(async () => {
  stop.abort();
  await venue.stop();
});

interface Scene {
  readonly socket: ReconnectingWebSocket;
  /** A handshake without an answer yet: the one under way, or in other states one of an attempt that is over. */
  readonly handshake: HeldHandshake;
  /** The open connection as the venue sees it, where there is one. */
  readonly client?: VenueClient;
}

function make(options: Partial<ReconnectingWebSocketOptions> = {}): ReconnectingWebSocket {
  return new ReconnectingWebSocket({
    url: venue.url,
    handshakeTimeoutMs: 30_000,
    silenceTimeoutMs: 60_000,
    reconnect: { floorMs: 1, capMs: 5, factor: 2, jitter: 0, retries: 0 },
    signal: stop.signal,
    onFrame: () => undefined,
    onState: (change) => changes.put(change),
    ...options,
  });
}

async function until(to: ConnectionState): Promise<void> {
  while ((await changes.take()).to !== to);
}

/** An attempt that was given up; the venue has its handshake and may still answer it. */
async function abandonedAttempt(socket: ReconnectingWebSocket): Promise<HeldHandshake> {
  venue.answer = 'hold';
  void socket.connect();
  const handshake = await venue.heldHandshake();
  await until('RECONNECTING');
  return handshake;
}

const arrive: Readonly<Record<ConnectionState, () => Promise<Scene>>> = {
  async DISCONNECTED() {
    const scene = await this.CONNECTING();
    await scene.socket.close();
    await until('DISCONNECTED');
    return scene;
  },
  async CONNECTING() {
    const socket = make();
    venue.answer = 'hold';
    void socket.connect();
    await until('CONNECTING');
    return { socket, handshake: await venue.heldHandshake() };
  },
  async CONNECTED() {
    const socket = make({ handshakeTimeoutMs: 200 });
    const handshake = await abandonedAttempt(socket);
    venue.answer = 'accept';
    await until('CONNECTED');
    venue.answer = 'hold';
    return { socket, handshake, client: await venue.client() };
  },
  async RECONNECTING() {
    const { socket, handshake: first } = await this.CONNECTING();
    first.refuse(HTTP_STATUS.lost);
    await until('RECONNECTING');
    return { socket, handshake: await venue.heldHandshake() };
  },
  async FAILED() {
    const socket = make({ handshakeTimeoutMs: 200 });
    const handshake = await abandonedAttempt(socket);
    venue.answer = HTTP_STATUS.failed;
    await until('FAILED');
    venue.answer = 'hold';
    return { socket, handshake };
  },
};

const cause: Readonly<Record<ConnectionTrigger, (scene: Scene) => void>> = {
  connect: ({ socket }) => void socket.connect(),
  close: ({ socket }) => void socket.close(),
  opened: ({ handshake }) => handshake.accept(),
  lost: ({ client, handshake }) => (client === undefined ? handshake.refuse(HTTP_STATUS.lost) : client.socket.close()),
  failed: ({ socket, client, handshake }) =>
    client === undefined
      ? handshake.refuse(HTTP_STATUS.failed)
      : socket.refuse(new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'not you')),
};

describe('on a real socket', () => {
  it.each(PAIRS.filter(({ state, trigger }) => TRANSITIONS[state][trigger] !== undefined))(
    'in $state, $trigger leads to $next',
    async ({ state, trigger, next }) => {
      const scene = await arrive[state]();
      expect(scene.socket.state).toBe(state);
      cause[trigger](scene);
      expect(await changes.take()).toMatchObject({ from: state, trigger, to: next });
      expect(scene.socket.state).toBe(next);
    },
  );

  it.each(PAIRS.filter(({ state, trigger }) => TRANSITIONS[state][trigger] === undefined))(
    'in $state, $trigger changes nothing',
    async ({ state, trigger }) => {
      const scene = await arrive[state]();
      cause[trigger](scene);
      if (trigger !== 'connect' && trigger !== 'close') await scene.handshake.gone;
      for (let turn = 0; turn < 5; turn += 1) await eventLoopTurn();
      expect(scene.socket.state).toBe(state);
      expect(changes.size).toBe(0);
    },
  );

  it.each(STATES)('the signal does in %s what close does', async (state) => {
    const { socket } = await arrive[state]();
    stop.abort();
    expect(socket.state).toBe(TRANSITIONS[state].close ?? state);
    await expect(socket.connect()).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
  });

  it.each(['CONNECTING', 'CONNECTED', 'RECONNECTING'] as const)(
    'can be closed in %s, again and again, and connects anew afterwards',
    async (state) => {
      const { socket } = await arrive[state]();
      const closing = socket.close();
      expect(socket.close()).toBe(closing);
      await closing;
      await socket.close();
      await until('DISCONNECTED');
      expect(changes.size).toBe(0);
      venue.answer = 'accept';
      await socket.connect();
      expect(socket.state).toBe('CONNECTED');
    },
  );
});
