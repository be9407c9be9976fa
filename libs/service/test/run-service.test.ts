import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tempFolder } from './support/temp-folder.js';

const RESOLVE_SOURCES = join(import.meta.dirname, '../../../tools/testing/resolve-sources.mjs');
const SAMPLE = join(import.meta.dirname, 'support/sample-service.ts');

const children: ChildProcess[] = [];
/** Every process loads the same sources: compiled once. */
const compiled = tempFolder();

afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  compiled[Symbol.dispose]();
});

interface Run {
  readonly child: ChildProcess;
  readonly words: () => readonly string[];
  readonly errors: () => string;
  /** Resolves when it has said the word. */
  readonly says: (word: string) => Promise<void>;
  readonly exit: Promise<number | string>;
}

/** A real process with nothing in its environment but what is given. */
function run(environment: Readonly<Record<string, string>> = {}, argv: readonly string[] = [], cwd = '/'): Run {
  const child = spawn(process.execPath, ['--conditions=@aipx/source', '--import', RESOLVE_SOURCES, SAMPLE, ...argv], {
    cwd,
    env: { NODE_COMPILE_CACHE: compiled.path, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const words = () => output.split('\n').slice(0, -1);
  const says = async (word: string) => {
    while (!words().includes(word)) {
      if (child.exitCode !== null) throw new Error(`it ended without saying ${word}: ${errors}`);
      await Promise.race([once(child.stdout, 'data'), exit]);
    }
  };
  return { child, words, errors: () => errors, says, exit };
}

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly code?: string;
  readonly run_id?: string;
}

function logOf(service: Run): readonly LogLine[] {
  return service
    .errors()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
}

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and ends with 0', async (signal) => {
    const service = run();
    await service.says('started');
    service.child.kill(signal);
    expect(await service.exit).toBe(0);
    expect(service.words()).toEqual(['starting', 'started', 'stopping', 'stopped']);
    expect(logOf(service)).toEqual([expect.objectContaining({ level: 'info', message: 'stopping on a signal' })]);
    expect(logOf(service)[0]?.run_id).toMatch(/^[\da-f-]{36}$/);
  });

  it('that still starts is told to stop, and what it opened is closed', async () => {
    const service = run({ SAMPLE_MODE: 'slow-to-start' });
    await service.says('starting');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(0);
    expect(service.words()).toEqual(['starting', 'stopping', 'stopped']);
  });

  it('that is slow to drain is told when its grace is nearly over, and still ends cleanly', async () => {
    const service = run({ SAMPLE_MODE: 'slow-to-stop', SHUTDOWN_GRACE: '3s' });
    await service.says('started');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(0);
    expect(service.words()).toEqual(['starting', 'started', 'stopping', 'stopped']);
  });

  it('that is slow to drain ends at once on a second signal', async () => {
    const service = run({ SAMPLE_MODE: 'slow-to-stop', SHUTDOWN_GRACE: '10m' });
    await service.says('started');
    // Signals within the first second may be npm's copies of the first.
    const again = setInterval(() => service.child.kill('SIGTERM'), 100);
    // Nor does a signal that comes when all is done take the place of the exit code.
    expect(await service.exit).toBe(0);
    clearInterval(again);
    expect(service.words()).toContain('stopped');
    expect(logOf(service).map(({ message }) => message)).toContain('stopping at once on a second signal');
  });

  it('that does not stop is ended by force when its grace is over', async () => {
    const service = run({ SAMPLE_MODE: 'stuck', SHUTDOWN_GRACE: '3s' });
    await service.says('started');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(1);
    expect(logOf(service).at(-1)).toMatchObject({
      level: 'fatal',
      message: 'the service did not stop within 3s and is ended by force',
    });
  });

  it('that leaves something open ends nevertheless', async () => {
    const service = run({ SAMPLE_MODE: 'leaves-open' });
    await service.says('started');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(0);
  });

  it('that cannot stop cleanly ends with 1 and says why', async () => {
    const service = run({ SAMPLE_MODE: 'fails-to-stop' });
    await service.says('started');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(1);
    expect(logOf(service).at(-1)).toMatchObject({
      code: 'PUBLISH_FAILED',
      message: 'the stop was not clean: 3 records are lost',
    });
  });

  it.each([
    [
      'cannot start for a wrong setting',
      'fails-to-start',
      2,
      'CONFIG_PORT_IN_USE',
      'the service ends: the port is taken',
    ],
    ['has no venue left', 'no-venue-left', 4, 'CONNECTION_NO_VENUE_LEFT', 'the service ends: upbit gave up'],
    [
      'leaves a rejection unhandled',
      'rejects',
      1,
      'STORE_REFUSED',
      'a rejection that nobody handled: nobody waits for this',
    ],
    ['throws where nobody catches', 'throws', 1, 'UNEXPECTED', 'nobody caught this: a mistake'],
    ['throws again while it stops', 'throws-twice', 1, 'UNEXPECTED', 'nobody caught this: a mistake'],
  ])('that %s is stopped, with its code in the log and in the exit code', async (_, mode, exit, code, message) => {
    const service = run({ SAMPLE_MODE: mode });
    expect(await service.exit).toBe(exit);
    expect(service.words().slice(-2)).toEqual(['stopping', 'stopped']);
    expect(logOf(service)[0]).toMatchObject({ level: 'fatal', code, message });
  });

  it('whose work is done ends with 0', async () => {
    const service = run({ SAMPLE_MODE: 'done' });
    expect(await service.exit).toBe(0);
    expect(service.words()).toEqual(['starting', 'started', 'stopping', 'stopped']);
  });
});

describe('the start of a service', () => {
  it('is refused with every wrong setting on standard error, and 2', async () => {
    const service = run({ SAMPLE_MODE: 'odd', HTTP_PORT: '-1' });
    expect(await service.exit).toBe(2);
    expect(service.errors()).toMatch(/^CONFIG_INVALID: sample cannot start with these settings \(2 faults\):\n/);
    expect(service.errors()).toContain('HTTP_PORT (environment): "-1" is not a whole number from 1 to 65535');
    expect(service.words()).toEqual([]);
  });

  it('is refused for wrong usage with 2', async () => {
    const service = run({}, ['--markt', 'x']);
    expect(await service.exit).toBe(2);
    expect(service.errors()).toMatch(/^CONFIG_INVALID: unknown option '--markt'/);
  });

  it('reads .env and --config of the working folder, and --print-config shows what is in effect', async () => {
    using folder = tempFolder({
      '.env': 'LOG_LEVEL=warn\nSAMPLE_PASSWORD=hunter2-hunter2\nSAMPLE_X=1\n',
      'conf.yaml': 'service:\n  logLevel: error\n  httpPort: 9\n',
    });
    const service = run({}, ['--config', 'conf.yaml', '--log-format', 'console', '--print-config'], folder.path);
    expect(await service.exit).toBe(0);
    const table = service.words().map((line) => line.split(/ {2,}/));
    expect(table).toContainEqual(['LOG_LEVEL', 'warn', '.env line 1']);
    expect(table).toContainEqual(['HTTP_PORT', '9', 'conf.yaml line 3']);
    expect(table).toContainEqual(['LOG_FORMAT', 'console', 'flag --log-format']);
    expect(table).toContainEqual(['SAMPLE_PASSWORD', '***', '.env line 2']);
    expect(service.errors()).toBe('SAMPLE_X (.env line 3) is no setting of sample and has no effect\n');
  });

  it('shows help and an example of .env, and ends', async () => {
    const help = run({}, ['--help']);
    const example = run({}, ['--print-env-example']);
    expect([await help.exit, await example.exit]).toEqual([0, 0]);
    expect(help.words()[0]).toBe('Usage: sample [flags]');
    expect(example.words()).toContain('#SHUTDOWN_GRACE=9s');
  });

  it('logs what looks misspelled, and at debug the settings in effect, secrets masked', async () => {
    const environment = {
      SAMPLE_MODE: 'tells-secret',
      SAMPLE_PASSWORD: 'hunter2-hunter2',
      SAMPLE_MOOD: 'x',
      LOG_LEVEL: 'debug',
    };
    const service = run(environment);
    await service.says('started');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(0);
    expect(logOf(service).slice(0, 3)).toMatchObject([
      { level: 'warn', message: expect.stringContaining('did you mean SAMPLE_MODE?') as string },
      { level: 'debug', settings: { HTTP_PORT: '8080', SAMPLE_PASSWORD: '[redacted]' } },
      { level: 'info', message: 'the password is [redacted]' },
    ]);
    expect(service.errors()).not.toContain('hunter2');
  });

  it('writes to LOG_FILE, to the last line', async () => {
    using folder = tempFolder();
    const service = run({ SAMPLE_MODE: 'fails-to-stop', LOG_FILE: 'logs/sample.log' }, [], folder.path);
    await service.says('started');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(1);
    expect(folder.read('logs/sample.1.log')).toBe(service.errors());
  });

  it('is refused when LOG_FILE cannot be opened', async () => {
    const service = run({ LOG_FILE: '/dev/null/sample.log' });
    expect(await service.exit).toBe(2);
    expect(service.errors()).toMatch(/^CONFIG_INVALID: LOG_FILE: "\/dev\/null\/sample\.log" cannot be opened: /);
  });
});
