import pino, { stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

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

/** JSON lines with `level` (text), `service`, `env`, `time` (ISO 8601) and `message`, or the same for people. */
export function createLogger(options: LoggerOptions): Logger {
  const target = options.destination ?? pino.destination({ dest: 2, sync: true });
  const stream =
    options.format === 'json'
      ? target
      : pretty({
          colorize: process.stderr.isTTY,
          translateTime: 'SYS:HH:MM:ss',
          hideObject: true,
          messageKey: 'message',
          destination: target,
          sync: true,
        });
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, env: options.environment ?? 'development' },
      messageKey: 'message',
      errorKey: 'error',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}

export type { Logger };
