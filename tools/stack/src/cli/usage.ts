import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { packageFolder } from '../workspace.js';
import { PARTS, type Part } from './parts.js';

/** What the command line asks for. */
export type Request =
  | UpRequest
  | { readonly command: 'status'; readonly dir: string }
  | {
      readonly command: 'logs';
      readonly dir: string;
      readonly parts: readonly Part[];
      readonly follow: boolean;
    }
  | { readonly command: 'down'; readonly dir: string; readonly wipe: boolean }
  | { readonly command: 'fetch'; readonly parts: readonly Part[] };

export interface UpRequest {
  readonly command: 'up';
  readonly dir: string;
  readonly parts: readonly Part[];
  readonly nodes: 1 | 3;
  readonly native: boolean;
}

/** One stack a checkout, wherever in it the command is given. */
const DEFAULT_DIR = join(packageFolder, '..', '..', '.aipx', 'stack');

/**
 * Reads the command line. Returns the exit code when there is nothing to do: 0 after help, 2 for wrong usage, which is
 * said in one sentence on standard error.
 */
export function readRequest(words: readonly string[]): Request | 0 | 2 {
  let request: Request | undefined;
  const program = new Command('npm run stack --')
    .description('Kafka, PostgreSQL, Redis and an S3 server on this machine.')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`aipx: ${text.replace(/^error: /, '').replace(/\n(?=.)/g, ' ')}`),
    });
  const dir = () =>
    new Option('--dir <folder>', 'holds everything of the stack')
      .default(DEFAULT_DIR, '.aipx/stack')
      .argParser(fromHere);
  const only = () =>
    new Option('--only <parts>', `some of ${PARTS.join(',')}`).default(PARTS, 'all').argParser(partsIn);

  program
    .command('up')
    .description('start what does not run and print the addresses as environment lines')
    .addOption(only())
    .addOption(new Option('--nodes <count>', 'Kafka nodes').choices(['1', '3']).default('1'))
    .addOption(new Option('--native', 'no containers, even where a Docker engine answers'))
    .addOption(dir())
    .action((o: { only: readonly Part[]; nodes: string; native?: true; dir: string }) => {
      request = { command: 'up', parts: o.only, nodes: o.nodes === '3' ? 3 : 1, native: o.native ?? false, dir: o.dir };
    });
  program
    .command('status')
    .description('say what runs: address, process, memory')
    .addOption(dir())
    .action((o: { dir: string }) => {
      request = { command: 'status', dir: o.dir };
    });
  program
    .command('logs')
    .description('print the last lines that the parts wrote')
    .argument('[part]', PARTS.join(', '), partsIn)
    .option('-f, --follow', 'go on with what they write from now on')
    .addOption(dir())
    .action((parts: readonly Part[] | undefined, o: { follow?: true; dir: string }) => {
      request = { command: 'logs', parts: parts ?? PARTS, follow: o.follow ?? false, dir: o.dir };
    });
  program
    .command('down')
    .description('stop what was started; the data stay')
    .option('--wipe', 'remove the data too')
    .addOption(dir())
    .action((o: { wipe?: true; dir: string }) => {
      request = { command: 'down', wipe: o.wipe ?? false, dir: o.dir };
    });
  program
    .command('fetch')
    .description('get what the parts need to run natively, and start nothing')
    .addOption(only())
    .action((o: { only: readonly Part[] }) => {
      request = { command: 'fetch', parts: o.only };
    });

  if (words.length === 0) {
    process.stderr.write('aipx: stack needs a command: up, status, logs, down or fetch (--help says more)\n');
    return 2;
  }
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  return request ?? 0;
}

/** npm runs scripts in the workspace's folder; a path means the one from where the user gave it. */
function fromHere(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}

function partsIn(list: string): readonly Part[] {
  const asked = new Set(list.split(','));
  const parts = PARTS.filter((part) => asked.delete(part));
  const [unknown] = asked;
  if (unknown === undefined) return parts;
  throw new InvalidArgumentError(`${JSON.stringify(unknown)} is none of ${PARTS.join(', ')}.`);
}
