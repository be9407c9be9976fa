import { Command } from 'commander';
import type { CommandContext } from './commands/context.js';
import type { MigrateFlags } from './commands/migrate.js';
import type { BarsFlags, QueryFlags, QuestionFlags } from './commands/query.js';
import type { VerifyFlags } from './commands/verify.js';

/**
 * The commands with their flags. Each hands the exit code over when it has done its work. What a command needs is loaded
 * when it runs: help and wrong usage are answered at once.
 */
export function defineCommands(context: CommandContext, done: (code: number) => void): Command {
  const program = new Command('aipx')
    .description('Checks, queries and prepares what is stored.')
    .helpOption('--help', 'show this text')
    .helpCommand(false)
    .addHelpText('after', SETTINGS_HELP);
  addVerify(program, context, done);
  addQuery(program, context, done);
  addMigrate(program, context, done);
  for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])]) {
    command
      .exitOverride()
      .allowExcessArguments(false)
      .helpOption('--help', 'show this text')
      .configureOutput({ writeOut: context.out, writeErr: () => undefined });
  }
  return program;
}

const SETTINGS_HELP = `
Where log, database and lake are is said by the recorder's settings, in the environment, in .env or in --config FILE:
KAFKA_BROKERS, TIMESCALEDB_HOST, _PORT, _USER, _PASSWORD, _DB, S3_BUCKET, _REGION, _ENDPOINT, _PREFIX, or LAKE_DIR for a
folder instead of S3. --data-dir takes the folder of an npm start instead of all of them.`;

function common(command: Command): Command {
  return command
    .option('--config <file>', 'a YAML file with settings')
    .option('--data-dir <folder>', 'the data folder of an npm start, instead of what the settings name');
}

function times(command: Command): Command {
  return command
    .option('--from <time>', 'event time, inclusive: 2024-05-01T09:00:00Z, or a day in UTC')
    .option('--to <time>', 'event time, exclusive');
}

function addVerify(program: Command, context: CommandContext, done: (code: number) => void): void {
  times(common(program.command('verify').description('Compares log, database and lake, record by record.')))
    .option('--topic <topic>', 'market.tick, market.orderbook or market.gap only')
    .option('--partition <number>', 'this partition only')
    .option('--offsets <first..last>', 'these offsets only; with --topic and --partition')
    .option('--wait <time>', 'how long the stores may take to reach the present end of the log (60s)')
    .option('--hot-retention <age>', 'rows older than this may be gone from the database (30d)')
    .option('--all', 'list every finding, not only the first 20')
    .option('--json', 'one JSON object a line: each finding, then the summary')
    .addHelpText(
      'after',
      '\nExit code: 0 all is stored once and equal, 1 it is not, 2 wrong usage, 3 it could not be compared.',
    )
    .action(async (flags: VerifyFlags) => {
      const { verifyCommand } = await import('./commands/verify.js');
      done(await verifyCommand(flags, context));
    });
}

function addQuery(program: Command, context: CommandContext, done: (code: number) => void): void {
  const query = program.command('query').description('Asks the lake or the database.');
  const source = (command: Command) =>
    times(common(command))
      .option('--source <source>', 'lake or database', 'lake')
      .option('--format <format>', 'table, csv or json (one object a line)', 'table')
      .option('--max-fetch <size>', 'most that is fetched from S3', '2GiB');
  const question = (command: Command) =>
    source(command)
      .requiredOption('--symbol <code>', 'as the venue spells it, such as KRW-BTC')
      .option('--exchange <venue>', 'of this venue only')
      .option('--limit <rows>', 'rows at most, the earliest', '1000');
  question(query.command('ticks').description('Trades, each once.')).action(async (flags: QuestionFlags) => {
    const { ticksCommand } = await import('./commands/query.js');
    done(await ticksCommand(flags, context));
  });
  question(query.command('books').description('Order books: the best levels, and all of them in csv and json.')).action(
    async (flags: QuestionFlags) => {
      const { booksCommand } = await import('./commands/query.js');
      done(await booksCommand(flags, context));
    },
  );
  question(query.command('bars').description('Open, high, low, close and volume of each interval with a trade.'))
    .option('--interval <length>', '1m, 5m or 1h', '1m')
    .action(async (flags: BarsFlags) => {
      const { barsCommand } = await import('./commands/query.js');
      done(await barsCommand(flags, context));
    });
  source(
    query.command('sql').description('SQL: on the lake over the views tick, orderbook and gap, in DuckDB’s words.'),
  )
    .argument('<statement>', 'such as "SELECT symbol, count(*) FROM tick GROUP BY symbol"')
    .action(async (statement: string, flags: QueryFlags) => {
      const { sqlCommand } = await import('./commands/query.js');
      done(await sqlCommand(statement, flags, context));
    });
}

function addMigrate(program: Command, context: CommandContext, done: (code: number) => void): void {
  const migrate = program.command('migrate').description('Prepares the database.');
  common(migrate.command('up').description('Runs the migrations that are open.')).action(
    async (flags: MigrateFlags) => {
      const { migrateUpCommand } = await import('./commands/migrate.js');
      done(await migrateUpCommand(flags, context));
    },
  );
  common(
    migrate.command('status').description('Says what is done and what is open; exit code 1 when something is.'),
  ).action(async (flags: MigrateFlags) => {
    const { migrateStatusCommand } = await import('./commands/migrate.js');
    done(await migrateStatusCommand(flags, context));
  });
}
