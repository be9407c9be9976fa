import pino, { stdTimeFunctions, type DestinationStream, type Logger, type LoggerOptions as PinoOptions } from 'pino';
import { consoleFormat } from './console-format.js';
import { errorJson } from './error-json.js';
import { LogFile } from './log-file.js';
import { SecretMask } from './secret-mask.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly service: string;
  /** @default 'development' */
  readonly environment?: string;
  /** @default 'info' */
  readonly level?: LogLevel;
  /** `json`: one object a line. `console`: for people. */
  readonly format: 'json' | 'console';
  /** @default standard error: standard output belongs to results */
  readonly destination?: DestinationStream;
}

/**
 * JSON lines with `level` (text), `service`, `env`, `time` (ISO 8601) and `message`, or the same for people. An `error`
 * carries its code, context and causes. What stands under a key such as `password` or `token` is masked, at any depth.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(pinoOptions(options, new SecretMask()), streamOf(options));
}

export interface LogOptions extends LoggerOptions {
  /** Also written to, as JSON; see `LogFile`. */
  readonly file?: string | undefined;
  /** Masked wherever they stand, inside messages and errors too. */
  readonly secrets?: Iterable<string>;
}

export interface Log {
  readonly logger: Logger;
  /** From now on this value is masked too, such as a token that was just issued. */
  keepSecret(value: string): void;
  /** Writes what waits, for a second at most. */
  close(): Promise<void>;
}

/** @throws {MarketDataError} `CONFIG_INVALID` when the file cannot be opened */
export async function openLog(options: LogOptions): Promise<Log> {
  const mask = new SecretMask(options.secrets);
  const settings = pinoOptions(options, mask);
  const stream = streamOf(options);
  const toStream = pino(settings, stream);
  const keepSecret = (value: string) => {
    mask.add(value);
  };
  if (options.file === undefined) return { logger: toStream, keepSecret, close: () => Promise.resolve() };
  const file = await LogFile.open(options.file, (message) => {
    toStream.warn(message);
  });
  // No `flushSync` on purpose: at a fatal line pino would call it, and on a full disk the file's never returns.
  const both = pino(settings, {
    write: (line) => {
      stream.write(line);
      file.write(line);
    },
  });
  return { logger: both, keepSecret, close: () => file.close() };
}

function pinoOptions(options: LoggerOptions, mask: SecretMask): PinoOptions {
  return {
    level: options.level ?? 'info',
    base: { service: options.service, env: options.environment ?? 'development' },
    messageKey: 'message',
    errorKey: 'error',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: errorJson, err: errorJson },
    // The finished line, so that nothing slips by: bindings of children, causes of causes, texts of other libraries.
    hooks: { streamWrite: (line) => mask.maskLine(line) },
  };
}

function streamOf({ format, destination }: LoggerOptions): DestinationStream {
  const target = destination ?? pino.destination({ dest: 2, sync: true });
  if (format === 'json') return target;
  const prettify = consoleFormat();
  return { write: (line) => target.write(prettify(line)) };
}

export type { Logger };
