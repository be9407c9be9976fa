import { asMarketDataError } from '@aipx/market-model';
import { choiceFromEnvironment, invocationFolder, LOG_LEVELS, onStopSignals, openLog } from '@aipx/service';
import { HelpShown, parseOptions } from './options.js';
import { jsonPrinter, terminalPrinter } from './printer.js';
import { run } from './run.js';

const WRONG_USAGE = 2;
const FAULT = 1;
const HOUR_MS = 3_600_000;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const signals = onStopSignals();
  const readerGone = new AbortController();
  // Nobody reads the results any more (`| head -1`): as good as Ctrl-C.
  process.stdout.on('error', () => {
    readerGone.abort();
  });
  try {
    const options = parseOptions(argv);
    const json = options.json || !process.stdout.isTTY;
    const { logger, keepSecret } = await openLog({
      service: 'standalone',
      level: choiceFromEnvironment('LOG_LEVEL', LOG_LEVELS, 'info'),
      format: process.stderr.isTTY ? 'console' : 'json',
    });
    const write = (text: string) => process.stdout.write(text);
    return await run(options, {
      base: invocationFolder(),
      printer: json ? jsonPrinter(write) : terminalPrinter(write, options.hold),
      logger,
      keepSecret,
      stop: AbortSignal.any([signals.stop, readerGone.signal]),
      atOnce: signals.atOnce,
      release: async () => {
        const { stop, dispose } = onStopSignals();
        const alive = setInterval(() => undefined, HOUR_MS); // waiting alone keeps no process up
        await new Promise((resolve) => {
          stop.addEventListener('abort', resolve, { once: true });
        });
        clearInterval(alive);
        dispose();
      },
    });
  } catch (cause) {
    if (cause instanceof HelpShown) return 0;
    if (signals.stop.aborted && isAbort(cause)) return 0;
    const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return error.code.startsWith('CONFIG_') ? WRONG_USAGE : FAULT;
  } finally {
    signals.dispose();
  }
}

/** Stopped before the run began: nothing was received, nothing is lost. */
function isAbort(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === 'AbortError' || cause.name === 'TimeoutError');
}
