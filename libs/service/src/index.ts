export { parseDuration } from './duration.js';
export { createLogger, LOG_LEVELS, type Logger, type LoggerOptions, type LogLevel } from './logger.js';
export { choiceFromEnvironment, invocationFolder } from './settings.js';
export { onStopSignals } from './stop-signals.js';
