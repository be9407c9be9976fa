import { Command, CommanderError, Option } from 'commander';
import { MarketDataError } from '@aipx/market-model';
import { flagName, type Setting, type SettingsSchema } from './schema.js';

/** What the command line asks for. Values are not checked yet: `loadSettings` does, together with all others. */
export interface CommandLine {
  readonly wants: 'run' | 'help' | 'print-config' | 'print-env-example';
  /** By environment name. */
  readonly flags: ReadonlyMap<string, string>;
  readonly configFile: string | undefined;
  /** What `--help` shows. */
  readonly help: string;
}

/**
 * Flags of the schema, and those that every service has: `--config`, `--print-config`, `--print-env-example`, `--help`.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for a flag that there is not, that is given twice or lacks its value
 */
export function parseCommandLine(schema: SettingsSchema, description: string, argv: readonly string[]): CommandLine {
  const flagged = schema.placed.flatMap(({ setting }) => {
    const option = optionOf(setting);
    return option === undefined ? [] : [{ setting, option }];
  });
  const config = new Option('--config <file>', 'a YAML file with settings');
  const command = define(schema.app, description, [...flagged.map(({ option }) => option), config]);
  const helpAsked = isHelpAsked(command, argv);
  const values = flagged.map(({ setting, option }) => [setting.env, onlyValue(command, option)] as const);
  return {
    wants: helpAsked ? 'help' : wishOf(command.opts()),
    flags: new Map(values.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)),
    configFile: onlyValue(command, config),
    help: `${command.helpInformation()}\nEvery setting has a name in the environment: --print-env-example lists them all.\n`,
  };
}

function define(app: string, description: string, options: readonly Option[]): Command {
  const command = new Command(app)
    .description(description)
    .usage('[flags]')
    .helpOption('--help', 'show this text')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  const collect = (value: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), value];
  for (const option of options) command.addOption(option.required ? option.argParser(collect) : option);
  return command
    .option('--print-config', 'show the settings in effect and where each came from, secrets masked, and end')
    .option('--print-env-example', 'show a commented .env with every setting, and end');
}

/** A secret has no flag, but one who tries is told where it belongs. */
function optionOf(setting: Setting): Option | undefined {
  const { env, flag, describe, secret, default: fallback } = setting;
  if (secret) return new Option(`${flagName(setting)} <value>`).hideHelp();
  if (flag === undefined) return undefined;
  return new Option(flag, `${describe} (${env}${fallback === undefined ? '' : `, default ${fallback}`})`);
}

function isHelpAsked(command: Command, argv: readonly string[]): boolean {
  try {
    command.parse([...argv], { from: 'user' });
    return false;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return true;
    // What was typed behind an unknown flag may be a secret.
    const message = error.message.replace(/^error: /, '').replace(/('--[^=']+)=[^']*'/, "$1=…'");
    throw new MarketDataError('CONFIG_INVALID', `${message} (--help lists the flags)`);
  }
}

/** Of two values of one flag the first would be dropped without a word. */
function onlyValue(command: Command, option: Option): string | undefined {
  const values = (command.getOptionValue(option.attributeName()) ?? []) as readonly string[] | true;
  if (values === true) return 'true';
  if (values.length > 1) {
    throw new MarketDataError('CONFIG_INVALID', `${String(option.long)} is given ${values.length} times; give it once`);
  }
  return values[0];
}

function wishOf(options: { readonly printConfig?: true; readonly printEnvExample?: true }): CommandLine['wants'] {
  if (options.printEnvExample) return 'print-env-example';
  return options.printConfig ? 'print-config' : 'run';
}
