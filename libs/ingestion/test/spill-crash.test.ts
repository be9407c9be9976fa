import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ALL, numberOf, numbersOf, SpillFixture } from './spill-fixture.js';
import { storedFiles, storedMark } from './spill-format.js';

const LOOP = join(import.meta.dirname, 'spill-loop.ts');
const RESOLVE_SOURCES = join(import.meta.dirname, '../../../tools/testing/resolve-sources.mjs');

describe('a spill queue whose process is killed', () => {
  let fixture: SpillFixture;
  let children: ChildProcess[];

  beforeEach(() => {
    fixture = new SpillFixture();
    children = [];
  });

  afterEach(async () => {
    for (const child of children) await kill(child);
    fixture.dispose();
  });

  function start(firstNumber: number, mode: 'fill' | 'drain'): { readonly child: ChildProcess; errors(): string } {
    const child = fork(LOOP, [fixture.folder, journalOf(children.length), String(firstNumber), mode], {
      execArgv: ['--conditions=@aipx/source', '--import', RESOLVE_SOURCES],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    children.push(child);
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    return { child, errors: () => errors };
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Resolves at this turn of its loop, or at its end. */
  function reach(child: ChildProcess, turns: number): Promise<void> {
    return new Promise((resolve) => {
      child.on('message', (turn) => Number(turn) >= turns && resolve());
      child.once('exit', () => resolve());
    });
  }

  function journalOf(index: number): string {
    return join(fixture.path, `journal-${String(index).padStart(2, '0')}`);
  }

  /** The numbers that the processes from this one on noted, in order. The last line of each may be cut. */
  function noted(what: string, since = 0): number[] {
    const journals = readdirSync(fixture.path).filter((name) => name.startsWith('journal-'));
    const lines = journals
      .sort()
      .slice(since)
      .flatMap((name) => readFileSync(join(fixture.path, name), 'utf8').split('\n').slice(0, -1));
    return lines
      .filter((line) => line.startsWith(`${what} `))
      .flatMap((line) => line.split(' ').slice(1).filter(Boolean).map(Number));
  }

  it('holds every record written and not acknowledged, in order, and of the acknowledged only those behind a late one', async () => {
    for (const [round, turns] of [1, 40, 90, 160, 230, 310].entries()) {
      const { child, errors } = start(round * 1_000_000, 'fill');
      await reach(child, turns);
      await kill(child);
      expect(errors()).toBe('');

      const mark = storedMark(fixture.folder) ?? 0;
      const held = storedFiles(fixture.folder)
        .flatMap(({ records }) => records)
        .filter(({ sequence }) => sequence >= mark)
        .map(({ value }) => numberOf(value));
      expect(held).toEqual([...held].sort((one, other) => one - other));
      const isHeld = new Set(held);
      const maybeAcknowledged = new Set(noted('b'));
      expect(noted('w').filter((number) => !isHeld.has(number) && !maybeAcknowledged.has(number))).toEqual([]);
      const isAcknowledged = new Set(noted('a', round));
      expect(isAcknowledged.has(held[0] ?? -1)).toBe(false);
    }
    const { child, errors } = start(0, 'drain');
    await once(child, 'exit');
    expect([child.exitCode, errors()]).toEqual([0, '']);

    const sent = noted('s');
    const firstSent = [...new Set(sent)];
    expect(firstSent).toEqual([...firstSent].sort((one, other) => one - other));
    const isSent = new Set(sent);
    expect(noted('w').filter((number) => !isSent.has(number))).toEqual([]);
    expect(noted('damage')).toEqual([]);
    expect(storedFiles(fixture.folder)).toEqual([]);
  });

  it('refuses another process at once, naming the folder, and is free the moment that process is killed', async () => {
    const { child } = start(0, 'fill');
    await once(child, 'message');
    expect(() => fixture.open()).toThrow(
      expect.objectContaining({
        code: 'CONFIG_DATA_DIR_IN_USE',
        message: expect.stringContaining(`SPILL_DIR ${fixture.folder} is in use`) as string,
      }),
    );
    await kill(child);
    const queue = fixture.open();
    expect(queue.waiting).toBe(numbersOf(queue.read(ALL)).length);
  });

  it('lets exactly one of several processes in that come at the same time', async () => {
    const started = [0, 1, 2].map((round) => start(round * 1_000_000, 'fill'));
    const outcomes = await Promise.all(
      started.map(({ child }) =>
        Promise.race([once(child, 'message').then(() => 'in'), once(child, 'exit').then(() => 'refused')]),
      ),
    );
    expect(outcomes.sort()).toEqual(['in', 'refused', 'refused']);
    for (const { child, errors } of started) {
      if (child.exitCode !== null) expect(errors()).toContain('CONFIG_DATA_DIR_IN_USE');
    }
  });

  it('refuses a second queue on the same folder in the same process, and lets it in after the first is closed', () => {
    const queue = fixture.open();
    expect(() => fixture.open()).toThrow(expect.objectContaining({ code: 'CONFIG_DATA_DIR_IN_USE' }));
    queue.close();
    fixture.open();
  });

  it('says what it needs where the program flock is missing', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = fixture.path;
    try {
      expect(() => fixture.open()).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('flock') as string }),
      );
    } finally {
      process.env['PATH'] = path;
    }
    fixture.open();
  });
});
