import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { App, temporaryFolder } from './support/app.js';
import { lakeCounts, tableContents } from './support/contents.js';
import { writeRecording } from './support/recording.js';

const KILLS = 10;
const FRAMES = 20_000;
const folder = temporaryFolder();

afterAll(() => {
  folder.remove();
});

/** Small and repeatable, so that a failing run can be run again: the seed is in the test's name. */
function seededFractions(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const seed = Date.now() % 1_000_000;

it(`${KILLS} kills at random places lose nothing and double nothing (seed ${seed})`, { timeout: 300_000 }, async () => {
  const random = seededFractions(seed);
  const recording = writeRecording(folder.path, FRAMES);
  // At this pace the file lasts much longer than all lives of the process together, also on a machine with other work.
  const args = ['--frames', recording.path, '--speed', '25', '--data-dir', join(folder.path, 'data')];
  let before: Awaited<ReturnType<typeof tableContents>> = { ticks: [], books: [] };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const app = new App(args);
    const killAfterMs = random() * 1_500;
    if (random() < 0.8) {
      // Aimed at the work itself; the rest hits the start, at whatever it is doing then.
      const ready = await app.next('ready');
      const stored = await tableContents(String(ready['database_url']));
      expect(stored.ticks.slice(0, before.ticks.length)).toEqual(before.ticks);
      expect(stored.books.slice(0, before.books.length)).toEqual(before.books);
      before = stored;
    }
    await new Promise((resolve) => setTimeout(resolve, killAfterMs));
    if (random() < 0.5) app.killGroup();
    else app.signal('SIGKILL');
    await app.outcome;
  }
  const last = new App([...args.slice(0, 2), '--speed', 'max', ...args.slice(4), '--hold']);
  const ready = await last.next('ready');
  const summary = await last.next('summary');
  expect(summary).toMatchObject({ ok: true, dropped: { rejected: 0 }, gaps: 0, hot: { duplicates: 0, conflicts: 0 } });
  const after = await tableContents(String(ready['database_url']));
  expect(after.ticks.slice(0, before.ticks.length)).toEqual(before.ticks);
  expect([after.ticks.length, after.books.length]).toEqual([recording.trades, recording.books]);
  expect(new Set(after.ticks).size).toBe(recording.trades);
  expect(new Set(after.books).size).toBe(recording.books);
  expect(await lakeCounts(String(ready['lake_dir']))).toEqual({
    ticks: { rows: recording.trades, places: recording.trades },
    books: { rows: recording.books, places: recording.books },
  });
  last.signal('SIGINT');
  expect((await last.outcome).code).toBe(0);
});
