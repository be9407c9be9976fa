import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { MarketDataError } from '@aipx/market-model';
import { openLog, type Log } from '../logging/logger.js';
import { parseCommandLine } from '../settings/command-line.js';
import { envExample } from '../settings/env-example.js';
import { loadSettings, type LoadedSettings } from '../settings/load.js';
import type { SettingsOf, SettingsSchema, SettingsTree } from '../settings/schema.js';
import type { ServiceSettings } from '../settings/service-group.js';
import { EXIT_CODES, exitCodeOf, type ExitCode } from './exit-code.js';
import { onStopSignals } from './stop-signals.js';
import { ServiceRunner, type ManagedService } from './service-runner.js';

/** A service as its `main.ts` states it. */
export interface ServiceProgram<Tree extends SettingsTree, Settings extends { readonly service: ServiceSettings }> {
  readonly schema: SettingsSchema<Tree>;
  /** One sentence for `--help`. */
  readonly description: string;
  /** What the parts take, made of the loaded values. */
  readonly settingsOf: (values: SettingsOf<Tree>) => Settings;
  /** Puts the parts together. Nothing is opened before the service's `start`. */
  readonly compose: (settings: Settings, log: Pick<Log, 'logger' | 'keepSecret'>) => ManagedService;
}

/** What is still open so long (ms) after the end is not waited for. */
const LINGER_MS = 500;

/**
 * The main function of every service: reads the command line and the settings, opens the log, runs the service.
 *
 * @param argv without node and script
 * @returns the exit code; half a second later the process ends by it, whatever is still open
 */
export async function runService<Tree extends SettingsTree, Settings extends { readonly service: ServiceSettings }>(
  program: ServiceProgram<Tree, Settings>,
  argv: readonly string[],
): Promise<ExitCode> {
  const code = await lifeOf(program, argv);
  setTimeout(() => process.exit(code), LINGER_MS).unref();
  return code;
}

async function lifeOf<Tree extends SettingsTree, Settings extends { readonly service: ServiceSettings }>(
  program: ServiceProgram<Tree, Settings>,
  argv: readonly string[],
): Promise<ExitCode> {
  try {
    const { wants, flags, configFile, help } = parseCommandLine(program.schema, program.description, argv);
    if (wants === 'help') return printed(help);
    if (wants === 'print-env-example') return printed(envExample(program.schema));
    const loaded = await loadSettings(program.schema, { flags, configFile });
    if (wants === 'print-config') {
      for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`);
      return printed(loaded.effective.toTable());
    }
    return await withLog(program, loaded);
  } catch (cause) {
    // There is no log yet: this is for the person who started it.
    const says = cause instanceof MarketDataError ? `${cause.code}: ${cause.message}` : `UNEXPECTED: ${inspect(cause)}`;
    process.stderr.write(`${says}\n`);
    return exitCodeOf(cause);
  }
}

async function withLog<Tree extends SettingsTree, Settings extends { readonly service: ServiceSettings }>(
  { settingsOf, compose }: ServiceProgram<Tree, Settings>,
  { values, effective, warnings, secrets }: LoadedSettings<Tree>,
): Promise<ExitCode> {
  const settings = settingsOf(values);
  const { name, environment, logLevel, logFormat, logFile, shutdownGraceMs } = settings.service;
  const log = await openLog({ service: name, environment, level: logLevel, format: logFormat, file: logFile, secrets });
  try {
    const logger = log.logger.child({ run_id: randomUUID() });
    for (const warning of warnings) logger.warn(warning);
    logger.debug({ settings: effective }, 'settings in effect');
    const service = compose(settings, { logger, keepSecret: log.keepSecret });
    // From here to the very end: a late signal must not take the place of the exit code.
    onStopSignals();
    return await new ServiceRunner(service, { logger, graceMs: shutdownGraceMs }).run();
  } finally {
    await log.close();
  }
}

function printed(text: string): ExitCode {
  // A reader that has seen enough (`| head -1`) is no fault.
  process.stdout.once('error', () => undefined);
  process.stdout.write(text);
  return EXIT_CODES.clean;
}
