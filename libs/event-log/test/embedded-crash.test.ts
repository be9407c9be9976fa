import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWhole, textOf } from '../src/contract/entries.js';
import { EmbeddedEventLog } from '../src/embedded/embedded-event-log.js';
import { tempFolder } from './temp-log.js';

const TOPICS = { 'market.tick': 3, 'market.orderbook': 2 };

describe('an embedded log whose process is killed', () => {
  let folder: ReturnType<typeof tempFolder>;
  let path: string;
  let children: ChildProcess[];

  beforeEach(() => {
    folder = tempFolder();
    path = join(folder.path, 'events.db');
    children = [];
  });

  afterEach(async () => {
    for (const child of children) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
    folder.remove();
  });

  function start(): {
    readonly child: ChildProcess;
    readonly errors: () => string;
    readonly acknowledged: () => number;
  } {
    const child = fork(join(import.meta.dirname, 'append-loop.ts'), [path], {
      execArgv: [
        '--conditions=@aipx/source',
        '--import',
        join(import.meta.dirname, '../../../tools/testing/resolve-sources.mjs'),
      ],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    children.push(child);
    let errors = '';
    let acknowledged = 0;
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('message', (frames) => (acknowledged = Number(frames)));
    return { child, errors: () => errors, acknowledged: () => acknowledged };
  }

  it('holds every acknowledged entry, and its progress says exactly what it holds, kill after kill', async () => {
    let logId: string | undefined;
    let before = 0;
    for (const killAfter of [1, 150, 777]) {
      const { child, acknowledged } = start();
      while (acknowledged() < before + killAfter) await once(child, 'message');
      child.kill('SIGKILL');
      await once(child, 'exit');

      const log = await EmbeddedEventLog.open({ path, topics: TOPICS });
      logId ??= log.id;
      expect(log.id).toBe(logId);
      const frames = await log.progressOf('frames');
      expect(frames).toBeGreaterThanOrEqual(acknowledged());
      const expected = Array.from({ length: frames }, (_, frame) =>
        ['a', 'b', 'book'].map((part) => `${frame}${part}`),
      );
      const records = await readWhole(log);
      expect(records.map(textOf).sort()).toEqual(expected.flat().sort());
      for (const key of new Set(records.map((record) => record.key))) {
        const ticks = records.filter((record) => record.key === key && record.topic === 'market.tick');
        const texts = ticks.map(textOf);
        expect(texts).toEqual([...texts].sort((one, other) => Number.parseInt(one) - Number.parseInt(other)));
      }
      await log.close();
      before = frames;
    }
  });

  it('refuses another process at once, naming the file and its holder, and is free the moment that process is killed', async () => {
    const { child } = start();
    await once(child, 'message');
    await expect(EmbeddedEventLog.open({ path, topics: TOPICS })).rejects.toMatchObject({
      code: 'CONFIG_DATA_DIR_IN_USE',
      message: expect.stringContaining(
        // Only Linux tells who holds a lock.
        `${path} is in use by ${process.platform === 'linux' ? `process ${child.pid}` : 'another process'};`,
      ) as string,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const log = await EmbeddedEventLog.open({ path, topics: TOPICS });
    await log.close();
  });

  it('lets exactly one of several processes in that make the file at the same time, without a word on a console', async () => {
    const started = Array.from({ length: 3 }, start);
    const outcomes = await Promise.all(
      started.map(({ child }) =>
        Promise.race([once(child, 'message').then(() => 'in'), once(child, 'exit').then(() => 'refused')]),
      ),
    );
    expect(outcomes.sort()).toEqual(['in', 'refused', 'refused']);
    const winner = started.find(({ child }) => child.exitCode === null);
    expect(winner?.errors()).toBe('');
    for (const loser of started.filter((each) => each !== winner)) {
      expect(loser.errors()).toContain('CONFIG_DATA_DIR_IN_USE');
    }
  });
});
