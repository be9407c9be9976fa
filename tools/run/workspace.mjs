import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// This file runs before anything is installed, on whatever Node.js the machine has: no dependency, no new syntax.

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');
const stampDir = join(root, 'node_modules', '.cache', 'aipx');

/** Installs the locked dependencies unless they are there already. Output goes to standard error. */
export function ensureInstalled() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(pinnedNode) && readStamp('install') === lock) return;
  note('installing dependencies (once; about a minute)');
  npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (!existsSync(pinnedNode)) {
    fail(
      'the pinned Node.js was not installed: its package fetches it in an install script.\n' +
        'Allow install scripts (npm config get ignore-scripts must say false) and try again.',
    );
  }
  writeStamp('install', lock);
}

/** Builds the project and what it depends on unless no source has changed since. */
export function ensureBuilt(project) {
  build(project, ['run', `${project}:build`]);
}

/** Likewise everything, for tools that are run from their sources and work with several apps. */
export function ensureAllBuilt() {
  build('everything', ['run-many', '-t', 'build']);
}

/** Runs nx with the pinned Node.js; its output goes to standard error, or comes back with `pipe`. */
export function runNx(args, output = 2) {
  return spawnSync(pinnedNode, [join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js'), ...args], {
    cwd: root,
    stdio: ['ignore', output, output],
    env: pinnedEnvironment(),
    maxBuffer: 64 * 1024 * 1024,
  });
}

/**
 * Goes on as a script under the pinned Node.js, with the heap settings of `npm start`: small steps keep resident memory
 * level from the first seconds on (a fixed young generation, an old one that grows by a fifth at a time, two malloc
 * arenas instead of one a thread).
 */
export function becomePinned(script, args) {
  const command = ['--max-semi-space-size=8', '--heap-growing-percent=20', join(root, script), ...args];
  const env = { ...pinnedEnvironment(), MALLOC_ARENA_MAX: '2' };
  if (process.execve) {
    // The script takes this process over: one process fewer, and signals reach it directly.
    process.execve(pinnedNode, [pinnedNode, ...command], env);
  }
  const child = spawn(pinnedNode, command, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 1 : code;
  });
}

/** The pinned Node.js first on the path, and no background process left behind. */
function pinnedEnvironment() {
  const bins = [join(root, 'node_modules', '.bin'), dirname(pinnedNode)].join(':');
  return { ...process.env, PATH: `${bins}:${process.env.PATH}`, NX_DAEMON: 'false', NX_TUI: 'false' };
}

export function note(text) {
  process.stderr.write(`aipx: ${text}\n`);
}

export function fail(text, code = 1) {
  note(text);
  process.exit(code);
}

function build(what, args) {
  const fingerprint = sourceFingerprint();
  const stamp = `build-${what}`;
  if (readStamp(stamp) === fingerprint) return;
  note('building');
  const { status, stdout, stderr } = runNx([...args, '--output-style=static'], 'pipe');
  if (status !== 0) {
    process.stderr.write(stdout);
    process.stderr.write(stderr);
    fail(`the build of ${what} failed; what it printed above says why`);
  }
  writeStamp(stamp, fingerprint);
}

function npm(args) {
  // npm says where it is; without npm (a bare `node tools/run/start.mjs`) the one on the path is taken.
  const cli = process.env.npm_execpath;
  const [command, first] = cli && cli.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  const { status, error } = spawnSync(command, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) fail(`npm could not be started: ${error.message}`);
  if (status !== 0) fail('npm ci failed; what it printed above says why', 1);
}

/** Names, sizes and times of every file a build reads. */
function sourceFingerprint() {
  const hash = createHash('sha256');
  const visit = (path) => {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      for (const name of readdirSync(path).sort()) {
        if (!['node_modules', 'dist', 'gen', 'coverage', 'test'].includes(name)) visit(join(path, name));
      }
    } else if (!path.endsWith('.test.ts') && !path.endsWith('.md')) {
      hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\n`);
    }
  };
  const folders = ['apps', 'libs', 'tools/stack', 'proto'];
  for (const name of [...folders, 'package-lock.json', 'tsconfig.base.json', 'nx.json', 'buf.gen.yaml']) {
    visit(join(root, name));
  }
  return hash.digest('hex');
}

function readStamp(name) {
  try {
    return readFileSync(join(stampDir, name), 'utf8');
  } catch {
    return undefined;
  }
}

function writeStamp(name, content) {
  mkdirSync(stampDir, { recursive: true });
  writeFileSync(join(stampDir, name), content);
}
