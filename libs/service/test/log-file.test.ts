import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import fs from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openLog, type LogOptions } from '../src/index.js';
import { LogFile } from '../src/logging/log-file.js';
import { tempFolder } from './support/temp-folder.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const options = (file: string, lines: string[] = []): LogOptions => ({
  service: 'sample',
  format: 'console',
  destination: { write: (line) => void lines.push(line) },
  file,
});

describe('a log file', () => {
  it('holds the lines as JSON, secrets masked, beside those on standard error', async () => {
    using folder = tempFolder();
    const lines: string[] = [];
    const log = await openLog({ ...options(join(folder.path, 'logs/app.log'), lines), secrets: ['hunter2'] });
    log.logger.info('first hunter2');
    log.logger.fatal('second');
    await log.close();
    const written = readFileSync(join(folder.path, 'logs/app.1.log'), 'utf8').trimEnd().split('\n');
    expect(written.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      'first [redacted]',
      'second',
    ]);
    expect(lines.join('')).toMatch(/first \[redacted\][^]*second/);
  });

  it('is continued by the next start', async () => {
    using folder = tempFolder();
    for (const message of ['one', 'two']) {
      const log = await openLog(options(join(folder.path, 'app.log')));
      log.logger.info(message);
      await log.close();
    }
    expect(readFileSync(join(folder.path, 'app.1.log'), 'utf8')).toMatch(/one[^]*two/);
  });

  it('starts anew when it is full, and only the last few are kept, also those of earlier starts', async () => {
    using folder = tempFolder({ 'app.1.log': 'of an earlier start\n', 'app.2.log': 'x', 'other.log': 'not ours' });
    const limits = { fileBytes: 1_000, filesKept: 3, memoryBytes: 100_000 };
    const file = await LogFile.open(join(folder.path, 'app.log'), () => undefined, limits);
    const line = `${'x'.repeat(99)}\n`;
    const ours = async () => (await readdir(folder.path)).filter((name) => name.startsWith('app'));
    // It rolls when nothing waits to be written, so the writer pauses for as long as it takes to read the folder.
    for (let written = 0; !(await ours()).includes('app.9.log'); written++) {
      if (written > 10_000) throw new Error(`it does not roll: ${(await ours()).join(' ')}`);
      file.write(line);
    }
    await vi.waitFor(async () => {
      expect((await ours()).length).toBeLessThanOrEqual(4);
    });
    await file.close();
    expect(existsSync(join(folder.path, 'app.1.log'))).toBe(false);
    expect(existsSync(join(folder.path, 'other.log'))).toBe(true);
  });

  it('that cannot be opened is a wrong setting', async () => {
    using folder = tempFolder({ plain: '' });
    await expect(openLog(options(join(folder.path, 'plain/app.log')))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^LOG_FILE: ".*plain\/app\.log" cannot be opened: /) as string,
    });
    await expect(openLog(options(join(folder.path, 'a*b.log')))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('that is closed takes no more lines, which still go to standard error', async () => {
    using folder = tempFolder();
    const lines: string[] = [];
    const log = await openLog(options(join(folder.path, 'app.log'), lines));
    await log.close();
    await log.close();
    log.logger.info('late');
    expect(lines.join('')).toContain('late');
  });
});

describe('a disk that is full', () => {
  it.skipIf(!existsSync('/dev/full'))(
    'stops nobody: lines go to standard error, which says so once, fatal ones too (needs /dev/full)',
    async () => {
      using folder = tempFolder();
      symlinkSync('/dev/full', join(folder.path, 'app.1.log'));
      const lines: string[] = [];
      const log = await openLog(options(join(folder.path, 'app.log'), lines));
      log.logger.info('first');
      await vi.waitFor(() => {
        expect(lines.join('')).toContain('the log file takes nothing (ENOSPC');
      });
      for (let n = 0; n < 100; n++) {
        log.logger.info(`line ${n}`);
        await nextTurn();
      }
      log.logger.fatal('the end');
      await log.close();
      expect(lines.join('')).toMatch(/line 99[^]*the end/);
      expect(lines.join('').match(/takes nothing/g)).toHaveLength(1);
    },
  );

  it('is written to again when it has room, and the lines that memory could not hold are counted', async () => {
    using folder = tempFolder();
    writeFileSync(join(folder.path, 'app.1.log'), '');
    const troubles: string[] = [];
    const limits = { fileBytes: 1_000_000, filesKept: 2, memoryBytes: 250 };
    const file = await LogFile.open(join(folder.path, 'app.log'), (message) => troubles.push(message), limits);
    const full = vi.spyOn(fs, 'write').mockImplementation(((...args: unknown[]) => {
      const done = args.at(-1) as (error: Error) => void;
      setImmediate(done, Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));
    }) as typeof fs.write);
    for (const name of ['a', 'b', 'c', 'd']) file.write(`${name.repeat(99)}\n`);
    await vi.waitFor(() => {
      expect(troubles).toEqual([expect.stringMatching(/takes nothing \(ENOSPC/)]);
    });
    full.mockRestore();
    file.write('e\n');
    await vi.waitFor(() => {
      expect(troubles[1]).toBe('the log file takes lines again; 2 were dropped meanwhile');
    });
    await file.close();
    const letters = readFileSync(join(folder.path, 'app.1.log'), 'utf8')
      .split('\n')
      .map((line) => line[0]);
    expect(letters).toEqual(['a', 'b', 'e', undefined]);
  });
});
