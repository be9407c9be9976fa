import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');

async function ownScripts(): Promise<Readonly<Record<string, string>>> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return Object.fromEntries(Object.entries(scripts).filter(([, command]) => command.includes('tools/run/')));
}

/** Stands where a script's program does: says that it runs, and ends on SIGTERM with a code of its own. */
const STAND_IN = `
process.on('SIGTERM', () => process.exit(42));
setInterval(() => undefined, 1_000);
console.log('runs');
`;

describe('npm and the programs that it starts', () => {
  it('have no shell between them in any script', async () => {
    for (const command of Object.values(await ownScripts()))
      expect(command).toMatch(/^exec node tools\/run\/[\w-]+\.mjs$/);
  });

  it('end together: SIGTERM to npm reaches the program, and its exit code comes back', async () => {
    const { start = '' } = await ownScripts();
    const folder = await mkdtemp(join(tmpdir(), 'aipx-scripts-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'tools', 'run'), { recursive: true });
    await writeFile(join(folder, start.split(' ').at(-1) ?? ''), STAND_IN);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'stand-in', scripts: { start } }));
    // A process group of its own: whatever goes wrong, nothing of it stays.
    const npm = spawn('npm', ['start', '--silent', '--', '--rate', '10'], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      try {
        process.kill(-(npm.pid ?? 0), 'SIGKILL');
      } catch {
        // all of it has ended
      }
    });
    const [line] = (await once(createInterface({ input: npm.stdout }), 'line')) as [string];
    expect(line).toBe('runs');
    npm.kill('SIGTERM');
    expect(await once(npm, 'exit')).toEqual([42, null]);
  });
});
