import { CommanderError } from 'commander';
import { asMarketDataError } from '@aipx/market-model';
import { defineCommands } from './cli.js';
import type { CommandContext } from './commands/context.js';

const FAULT = 1;
const WRONG_USAGE = 2;
/** Nothing is known: a part is away, or belongs to something else. */
const NOT_VERIFIED = 3;

/** Does what the command line asks for. Never rejects. @returns the exit code */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const fault = argv[0] === 'verify' ? NOT_VERIFIED : FAULT;
  let code = 0;
  try {
    const commands = defineCommands(context, (exitCode) => {
      code = exitCode;
    });
    await commands.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (cause) {
    if (cause instanceof CommanderError) return usage(cause, argv, context);
    if (context.signal.aborted) {
      context.note('stopped before the end\n');
      return fault;
    }
    const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
    context.note(`${error.code}: ${error.message}\n`);
    return error.code.startsWith('CONFIG_') ? WRONG_USAGE : fault;
  }
}

function usage(error: CommanderError, argv: readonly string[], { note }: CommandContext): number {
  if (error.code === 'commander.helpDisplayed') return 0;
  const firstFlag = argv.findIndex((word) => word.startsWith('-'));
  const words = argv.slice(0, firstFlag < 0 ? undefined : firstFlag);
  const command = error.code === 'commander.unknownCommand' ? words.slice(0, -1) : words.slice(0, 2);
  const message = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '');
  const hint = ['aipx', ...command, '--help'].join(' ');
  note(`CONFIG_INVALID: ${message.replaceAll('\n', ' ')} (${hint} says more)\n`);
  return WRONG_USAGE;
}
