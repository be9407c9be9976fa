import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainVenue } from '../../test/plain-venue.js';
import { inspectFrames, type FramesInspection } from './inspect.js';

let folder: string;
let path: string;
const signal = AbortSignal.timeout(60_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inspect-'));
  path = join(folder, 'frames.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

async function inspect(content: string | Buffer, file = path): Promise<FramesInspection> {
  await writeFile(path, content);
  return inspectFrames(file, { venues: [plainVenue(), { ...plainVenue(), id: 'other' }] }, signal);
}

const line = (frame: string, venue = 'plain'): string =>
  `${JSON.stringify({ venue, received_at_ns: '1618678263010785000', frame })}\n`;

describe('inspectFrames', () => {
  it('counts frames and codes by venue, and hashes the bytes of the file', async () => {
    const content = `${line('code B 1')}${line('code A 2')}\n${line('heartbeat')}${line('code B 3', 'other')}`;
    const { venues, ...counts } = await inspect(content);
    expect(counts).toEqual({
      contentHash: createHash('sha256').update(content).digest('hex'),
      lines: 4,
      dataFrames: 3,
      controlFrames: 1,
      brokenLines: 0,
    });
    expect([...venues]).toMatchObject([
      ['plain', { dataFrames: 2, symbols: ['A', 'B'] }],
      ['other', { dataFrames: 1, symbols: ['B'] }],
    ]);
  });

  it('knows to the minute when a data frame was received', async () => {
    const begin = Date.UTC(2026, 8, 22, 14, 58);
    const at = (second: number) =>
      `${JSON.stringify({ venue: 'plain', received_at_ns: `${begin + second * 1_000}000000`, frame: `code A ${second}` })}\n`;
    const seconds = Array.from({ length: 300 }, (_, each) => each * 3);
    const { venues } = await inspect(`${seconds.map(at).join(line('heartbeat'))}broken\n`);
    const { recordedAtMs } = venues.get('plain') ?? {};
    for (const [frame, second] of seconds.entries()) {
      const late = begin + second * 1_000 - (recordedAtMs?.(frame) ?? 0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(60_000);
    }
    expect(recordedAtMs?.(300)).toBe(begin + 840_000);
    const untimed = await inspect('{"venue":"plain","frame":"code A 1"}\n');
    expect(untimed.venues.get('plain')?.recordedAtMs(0)).toBeUndefined();
  });

  it('counts broken lines to the venue of the line before, at the head to the first venue named', async () => {
    const { brokenLines, venues } = await inspect(`broken\n${line('x')}${line('y', 'other')}{"venue":"plain"}\n`);
    expect(brokenLines).toBe(2);
    expect(venues.get('plain')?.dataFrames).toBe(2);
    expect(venues.get('other')?.dataFrames).toBe(2);
  });

  it('takes a last line without a line feed, carriage returns and a byte order mark', async () => {
    const { lines, brokenLines } = await inspect(`\ufeff${line('x').trimEnd()}\r\n\r\n${line('y').trimEnd()}`);
    expect({ lines, brokenLines }).toEqual({ lines: 2, brokenLines: 0 });
  });

  it('reads lines that lie across chunks', async () => {
    const long = Array.from({ length: 9 }, (_, at) => line(`code ${at} ${'x'.repeat(700_000)}`)).join('');
    const { venues, brokenLines } = await inspect(long);
    expect(brokenLines).toBe(0);
    expect(venues.get('plain')?.symbols).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
  });

  it.each([
    ['', 'is empty; expected one JSON object a line such as {"venue":"upbit"'],
    [' \n\n', 'is empty'],
    ['\nonly\nbroken\n', 'holds no recorded frame, from line 2 on; expected one JSON object a line'],
    [line('x') + line('y', 'nowhere'), 'line 2: venue "nowhere" is not known; expected one of plain, other'],
    [line('x') + 'y'.repeat(9 * 1024 * 1024), 'line 2 is longer than 8 MiB'],
  ])('refuses %.20j and says why', async (content, message) => {
    await expect(inspect(content)).rejects.toMatchObject({
      code: 'CONFIG_FRAMES_FILE',
      message: expect.stringContaining(message) as string,
    });
  });

  it('names a file that is missing, and a directory', async () => {
    await expect(inspect('', join(folder, 'none'))).rejects.toThrow(
      `frames file ${join(folder, 'none')} does not exist`,
    );
    await expect(inspect('', folder)).rejects.toThrow(`frames file ${folder} is a directory`);
  });

  it('names a pipe, instead of waiting for its writer', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(inspect('', pipe)).rejects.toMatchObject({
      code: 'CONFIG_FRAMES_FILE',
      message: `frames file ${pipe} cannot be read: it is a pipe, a socket or a device; expected a file of JSON lines`,
    });
    await expect(inspect('', '/dev/null')).rejects.toMatchObject({ code: 'CONFIG_FRAMES_FILE' });
  });

  it('stops when it is told', async () => {
    await writeFile(path, line('x'));
    const inspection = inspectFrames(path, { venues: [plainVenue()] }, AbortSignal.abort());
    await expect(inspection).rejects.toThrow('aborted');
  });
});
