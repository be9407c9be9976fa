import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainVenue } from '../test/plain-venue.js';
import { TestClient } from './testing.js';
import type { FramesSourceSettings } from './settings.js';
import { startVenueSimulator, type VenueSimulator } from './simulator.js';

let folder: string;
let path: string;
let stopping: AbortController;
let running: VenueSimulator | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frames-'));
  path = join(folder, 'frames.jsonl');
  stopping = new AbortController();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(folder, { recursive: true });
});

const line = (frame: string, venue = 'plain', at = '1618678263010785000'): string =>
  JSON.stringify({ venue, received_at_ns: at, frame });

/** 64 MB, more than all buffers between two sockets hold. */
const longFrames = Array.from({ length: 1000 }, (_, at) => `${at} ${'x'.repeat(64 * 1024)}`);
const numbersOf = (texts: readonly string[]): readonly number[] =>
  texts.map((text) => Number(text.slice(0, text.indexOf(' '))));

async function play(
  lines: readonly (string | Buffer)[],
  settings: Partial<FramesSourceSettings> = {},
): Promise<VenueSimulator> {
  await writeFile(path, Buffer.concat(lines.flatMap((text) => [Buffer.from(text), Buffer.from('\n')])));
  running = await startVenueSimulator({
    venue: plainVenue(),
    source: { kind: 'frames', path, speed: 'max', ...settings },
    signal: stopping.signal,
  });
  return running;
}

/** Subscribes to nothing the venue knows, which is enough, and takes everything until the end of the source. */
async function takeAll(simulator: VenueSimulator): Promise<string[]> {
  const client = await TestClient.connect(simulator.websocketUrl);
  client.send('unknown');
  await simulator.sourceEnded;
  await simulator.finish();
  expect(await client.closed).toBe(1000);
  return client.rest();
}

describe('a recording', () => {
  it('is played verbatim and in order to whoever subscribes to anything', async () => {
    const frames = ['{"price":1.10E8}', ' spaces kept ', '값', '"\\u0000'];
    const simulator = await play(frames.map((frame) => line(frame)));
    expect(await takeAll(simulator)).toEqual(frames);
    expect(simulator.sent).toBe(4);
  });

  it('plays a line of another shape as the frame it is, and loses no neighbour', async () => {
    const notUtf8 = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    const broken = ['{"venue":"plain","frame":"cut of', '{"venue":"plain","frame":42}', 'null', '[]', notUtf8];
    const simulator = await play([...broken, line('first'), broken[0] ?? '', line('last')]);
    const client = await TestClient.connect(simulator.websocketUrl);
    client.send('A');
    await simulator.sourceEnded;
    const played: Buffer[] = [];
    while (played.length < 8) played.push((await client.next()).bytes);
    expect(played.slice(0, 5)).toEqual(broken.map((text) => Buffer.from(text)));
    expect(played.slice(5).map(String)).toEqual(['first', broken[0], 'last']);
  });

  it('leaves recorded protocol talk out and counts it apart', async () => {
    const simulator = await play([line('heartbeat'), line('one'), line('heartbeat'), line('two')]);
    expect(await takeAll(simulator)).toEqual(['one', 'two']);
    expect(simulator.controlFrames).toBe(2);
  });

  it('plays only what its venue recorded', async () => {
    const simulator = await play([line('other', 'elsewhere'), line('ours'), line('other', 'elsewhere'), 'broken']);
    expect(await takeAll(simulator)).toEqual(['ours']);
  });

  it('begins at the data frame it is told', async () => {
    const simulator = await play([line('0'), line('heartbeat'), 'broken 1', line('2'), line('3')], { from: 2 });
    expect(await takeAll(simulator)).toEqual(['2', '3']);
    expect(simulator.sent).toBe(2);
  });

  it('sends nothing before somebody has subscribed', async () => {
    const simulator = await play([line('one')]);
    const idle = await TestClient.connect(simulator.websocketUrl);
    const client = await TestClient.connect(simulator.websocketUrl);
    client.send('A');
    expect(await client.nextText()).toBe('one');
    await simulator.finish();
    expect(await idle.rest()).toEqual([]);
  });

  it('goes on after the last frame handed over when its client leaves and another subscribes', async () => {
    const simulator = await play(longFrames.map((frame) => line(frame)));
    const first = await TestClient.connect(simulator.websocketUrl);
    first.send('A');
    const texts = await first.texts(1);
    simulator.inject({ fault: 'cut', how: 'close' });
    texts.push(...(await first.rest()));
    expect(texts.length).toBe(simulator.sent);
    const second = await TestClient.connect(simulator.websocketUrl);
    second.send('A');
    await simulator.sourceEnded;
    await simulator.finish();
    texts.push(...(await second.rest()));
    expect(numbersOf(texts)).toEqual(longFrames.map((_, at) => at));
  });

  it('waits for a client that does not read: nothing is dropped and nothing piles up', async () => {
    const simulator = await play(longFrames.map((frame) => line(frame)));
    const client = await TestClient.connect(simulator.websocketUrl);
    client.send('A');
    const texts = await client.texts(1);
    client.socket.pause();
    // Far more turns of the event loop than 64 MB would take if the sender did not wait.
    for (let turn = 0; turn < 200; turn += 1) await fetch(`${simulator.apiUrl}/codes`).then((answer) => answer.text());
    expect(simulator.sent).toBeLessThan(500);
    client.socket.resume();
    await simulator.sourceEnded;
    await simulator.finish();
    texts.push(...(await client.rest()));
    expect(numbersOf(texts)).toEqual(longFrames.map((_, at) => at));
  });

  it('fails with the file’s name when there is none', async () => {
    running = await startVenueSimulator({
      venue: plainVenue(),
      source: { kind: 'frames', path, speed: 'max' },
      signal: stopping.signal,
    });
    await expect(running.sourceEnded).rejects.toMatchObject({
      code: 'CONFIG_FRAMES_FILE',
      message: `frames file ${path} does not exist`,
    });
    await expect(running.failed).rejects.toThrow(path);
  });
});
