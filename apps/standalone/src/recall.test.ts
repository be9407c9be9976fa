import { readFileSync } from 'node:fs';
import type { SessionMemory, Subscription, VenueSession } from '@aipx/venue';
import { venueById } from '@aipx/venue-registry';
import { firstFrames } from '@aipx/venue-simulator';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/support/app.js';
import { writeMixedRecording } from '../test/support/kis-recording.js';
import { recall } from './recall.js';

const folder = temporaryFolder();
const { driver, loadSimulator } = venueById('kis');
const SUBSCRIPTIONS: readonly Subscription[] = ['005930', '000660', '0193T0'].map((symbol) => ({
  symbol,
  channel: 'tick',
}));
/** When the recorded day was over. */
const RECEIVED_AT = BigInt(Date.UTC(2026, 8, 22, 8)) * 1_000_000n;

afterAll(() => folder.remove());

function open(memory: SessionMemory | undefined): VenueSession {
  const options = {
    subscriptions: SUBSCRIPTIONS,
    bookDepth: driver.defaults.bookDepth,
    connectionId: 'c',
    secret: 's',
  };
  return driver.openSession({ ...options, ...(memory && { memory }) });
}

describe('a replay that is resumed', () => {
  it('reads every frame as one that never stopped, wherever it was cut', async () => {
    const { path } = writeMixedRecording(folder.path, 120, 7);
    const simulated = await loadSimulator();
    const frames = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => (line === '' ? '' : (JSON.parse(line) as { venue: string; frame: string })))
      .flatMap((line) => (line !== '' && line.venue === 'kis' && simulated.isData(line.frame) ? line.frame : []))
      .map((frame) => Buffer.from(frame));
    const whole = open(driver.newMemory?.());
    const expected = frames.map((frame) => whole.read(frame, RECEIVED_AT));
    for (let cut = 0; cut <= frames.length; cut += 1) {
      const memory = await recall(driver, SUBSCRIPTIONS, {
        frames: firstFrames(path, simulated, cut, AbortSignal.timeout(60_000)),
        receivedAt: () => RECEIVED_AT,
      });
      const session = open(memory);
      expect(frames.slice(cut).map((frame) => session.read(frame, RECEIVED_AT))).toEqual(expected.slice(cut));
    }
  });

  it('recalls nothing of a venue whose sessions remember nothing', async () => {
    const played = { frames: firstFrames('none', await loadSimulator(), 1, AbortSignal.abort()), receivedAt: () => 0n };
    expect(await recall(venueById('upbit').driver, SUBSCRIPTIONS, played)).toBeUndefined();
  });
});
