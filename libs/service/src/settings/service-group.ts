import { LOG_LEVELS, type LogLevel } from '../logging/logger.js';
import type { SettingsGroup, SettingsOf } from './schema.js';
import { choice, duration, orEmpty, path, port, text } from './value-types.js';

export interface ServiceDefaults {
  /** @default '9s' */
  readonly shutdownGrace?: string;
}

/** The settings that every service has. */
export function serviceGroup(app: string, { shutdownGrace = '9s' }: ServiceDefaults = {}) {
  return {
    name: {
      env: 'SERVICE_NAME',
      type: text('a name of letters, digits, dots, hyphens and underscores', /^[\w.-]+$/),
      default: app,
      describe: 'Name of this service in logs and metrics',
    },
    environment: {
      env: 'ENVIRONMENT',
      type: choice('development', 'staging', 'production'),
      default: 'development',
      describe: 'Where it runs, for logs and metrics',
    },
    logLevel: {
      env: 'LOG_LEVEL',
      type: choice(...LOG_LEVELS),
      default: 'info',
      describe: 'Least severe log lines to write',
      flag: '--log-level <level>',
    },
    logFormat: {
      env: 'LOG_FORMAT',
      type: choice('json', 'console'),
      default: 'json',
      describe: 'Log lines for machines or for people',
      flag: '--log-format <format>',
    },
    logFile: {
      env: 'LOG_FILE',
      type: orEmpty('no file', path()),
      describe:
        'Also log to this file, with a number before its extension: a new one every 20 MiB, ten older ones are kept',
    },
    httpPort: {
      env: 'HTTP_PORT',
      type: port(),
      default: '8080',
      describe: 'Port of /live, /ready, /health and /metrics',
      flag: '--http-port <port>',
    },
    shutdownGrace: {
      env: 'SHUTDOWN_GRACE',
      type: duration({ min: '3s', max: '10m' }),
      default: shutdownGrace,
      describe: 'Longest time from SIGTERM or SIGINT to the end of the process',
    },
  } as const satisfies SettingsGroup;
}

/** What a service's settings have in common, as its parts take it. */
export interface ServiceSettings {
  readonly name: string;
  readonly environment: 'development' | 'staging' | 'production';
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'console';
  readonly logFile: string | undefined;
  readonly shutdownGraceMs: number;
}

/** The group's values with units in their names. The port goes to the HTTP server. */
export function serviceSettings(
  values: SettingsOf<{ readonly service: ReturnType<typeof serviceGroup> }>['service'],
): ServiceSettings {
  const { name, environment, logLevel, logFormat, logFile, shutdownGrace } = values;
  return { name, environment, logLevel, logFormat, logFile, shutdownGraceMs: shutdownGrace };
}
