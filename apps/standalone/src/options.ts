import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { MarketDataError } from '@aipx/market-model';
import { parseDuration } from '@aipx/service';

/** What the command line asks for, each value checked by itself. What needs a file or a venue is checked later. */
export interface Options {
  /** Venue id; absent: every venue that has a simulator. */
  readonly venue: string | undefined;
  /** Raw codes as given; absent: a default set, or every code of the frames file. */
  readonly markets: readonly string[] | undefined;
  readonly frames: string | undefined;
  /** Factor on the recorded pace, or as fast as it goes. */
  readonly speed: number | 'max';
  /** Messages a second over all venues. */
  readonly rate: number;
  readonly live: boolean;
  readonly durationMs: number | undefined;
  readonly dataDir: string;
  readonly databasePort: number;
  readonly hold: boolean;
  readonly json: boolean;
  readonly seed: number;
}

/** Beyond this a timer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Asked for help: the text has been printed, nothing is wrong. */
export class HelpShown extends Error {}

/**
 * @throws {MarketDataError} `CONFIG_INVALID` with one sentence that names the flag, the value and what is right
 * @throws {HelpShown}
 */
export function parseOptions(argv: readonly string[]): Options {
  const command = define();
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new HelpShown();
    throw new MarketDataError(
      'CONFIG_INVALID',
      `${error.message.replace(/^error: /, '')} (npm start -- --help lists the flags)`,
    );
  }
  const flags = command.opts<Flags>();
  refuseContradictions(command, flags);
  return {
    venue: flags.venue,
    markets: flags.markets,
    frames: flags.frames,
    speed: flags.speed,
    rate: flags.rate,
    live: flags.live,
    durationMs: flags.duration,
    dataDir: flags.dataDir,
    databasePort: flags.databasePort,
    hold: flags.hold,
    json: flags.json,
    seed: flags.seed,
  };
}

interface Flags {
  venue?: string;
  markets?: readonly string[];
  frames?: string;
  speed: number | 'max';
  rate: number;
  live: boolean;
  duration?: number;
  dataDir: string;
  databasePort: number;
  hold: boolean;
  json: boolean;
  seed: number;
}

function define(): Command {
  return new Command('npm start --')
    .description('Runs the whole pipeline on embedded parts: venues, event log, PostgreSQL and Parquet files.')
    .usage('[flags]')
    .option('--venue <id>', 'take this venue only, such as upbit')
    .option(
      '--markets <codes>',
      'comma-separated codes as the venues spell them, such as KRW-BTC,005930 or upbit:KRW-BTC',
      markets,
    )
    .option('--frames <file>', 'play recorded frames: JSON lines of {"venue","received_at_ns","frame"}')
    .option('--speed <factor>', 'pace of --frames: 1 as recorded, 10 ten times as fast, or max', speed, 1)
    .option('--rate <messages>', 'messages a second of the simulated market, over all venues', rate, 100)
    .option('--live', 'connect to the real venues; one that takes a key says which settings hold it', false)
    .option(
      '--duration <time>',
      'stop after 500ms, 20s, 10m or 24h (default: at the end of --frames, else on Ctrl-C)',
      duration,
    )
    .option('--data-dir <folder>', 'keeps everything: log, database, Parquet files', '.aipx')
    .option('--database-port <port>', 'port of the embedded PostgreSQL; 0 takes a free one', port, 0)
    .option('--seed <number>', 'seed of the simulated market', seed, 1)
    .option('--hold', 'keep the database up after the summary, until Ctrl-C', false)
    .option('--json', 'one JSON object a line on standard output (the default when it is not a terminal)', false)
    .helpOption('--help', 'show this text')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

function refuseContradictions(command: Command, flags: Flags): void {
  const given = (name: string) => command.getOptionValueSource(name) === 'cli';
  const both = (a: string, b: string) =>
    new MarketDataError('CONFIG_INVALID', `${a} and ${b} exclude each other; leave one of them out`);
  if (flags.live && flags.frames !== undefined) throw both('--live', '--frames');
  if (flags.live && given('rate')) throw both('--live', '--rate');
  if (flags.frames !== undefined && given('rate')) throw both('--frames', '--rate (--speed sets the pace of a file)');
  if (flags.frames === undefined && given('speed')) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      '--speed sets the pace of recorded frames; give --frames FILE too, or use --rate',
    );
  }
}

function markets(raw: string): readonly string[] {
  const codes = raw
    .split(',')
    .map((code) => code.trim())
    .filter((code) => code !== '');
  if (codes.length === 0) throw new InvalidArgumentError('expected codes such as KRW-BTC,KRW-ETH.');
  return codes;
}

function speed(raw: string): number | 'max' {
  return raw === 'max' ? raw : positive(raw, 'expected a factor above 0, such as 1 or 10, or the word max.');
}

function rate(raw: string): number {
  return positive(raw, 'expected messages a second above 0, such as 5000.');
}

function positive(raw: string, expected: string): number {
  const value = /^\d+(\.\d+)?$/.test(raw) ? Number(raw) : Number.NaN;
  if (!(value > 0 && value <= 1e9)) throw new InvalidArgumentError(expected);
  return value;
}

function duration(raw: string): number {
  try {
    const millis = parseDuration('--duration', raw);
    if (millis <= LONGEST_TIMER_MS) return millis;
  } catch {
    // answered below
  }
  throw new InvalidArgumentError('expected a number with its unit, such as 500ms, 20s, 10m or 24h, at most 596h.');
}

function port(raw: string): number {
  return wholeNumber(raw, 65_535, 'expected a port from 0 to 65535.');
}

function seed(raw: string): number {
  return wholeNumber(raw, 2 ** 32 - 1, 'expected a whole number from 0 to 4294967295.');
}

function wholeNumber(raw: string, most: number, expected: string): number {
  const value = /^\d{1,10}$/.test(raw) ? Number(raw) : Number.NaN;
  if (!(value <= most)) throw new InvalidArgumentError(expected);
  return value;
}
