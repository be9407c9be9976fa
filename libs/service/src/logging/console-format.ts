import { createRequire } from 'node:module';
import type pretty from 'pino-pretty';

/** Makes a line for people of a line of JSON. What that takes is loaded here: a service that writes JSON spares its memory. */
export function consoleFormat(): (json: string) => string {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof pretty;
  return prettyFactory({
    colorize: process.stderr.isTTY,
    translateTime: 'SYS:HH:MM:ss',
    hideObject: true,
    messageKey: 'message',
    messageFormat: readable,
  });
}

/** The message, and behind it what went wrong, unless the message says so already. */
function readable(line: Record<string, unknown>, messageKey: string): string {
  const message = String(line[messageKey] ?? '');
  const { code, message: reason } = (line['error'] ?? {}) as { readonly code?: string; readonly message?: string };
  const why = [code, reason].filter((part) => part !== undefined && !message.includes(part)).join(': ');
  return why === '' ? message : `${message} (${why})`;
}
