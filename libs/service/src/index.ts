export { durationText, parseDuration } from './duration.js';
export { healthReport, healthText, HEALTH_STATUSES } from './http/health.js';
export type { HealthComponent, HealthReport, HealthStatus } from './http/health.js';
export { ServiceHttpServer, type ServiceHttpServerOptions } from './http/service-http-server.js';
export { EXIT_CODES, exitCodeOf, type ExitCode } from './lifecycle/exit-code.js';
export { runService, type ServiceProgram } from './lifecycle/run-service.js';
export { ServiceRunner, type ManagedService, type ServiceRunnerOptions } from './lifecycle/service-runner.js';
export { onStopSignals, type StopSignals } from './lifecycle/stop-signals.js';
export { FaultLog } from './logging/fault-log.js';
export { RefusalLog } from './logging/refusal-log.js';
export { createLogger, LOG_LEVELS, openLog } from './logging/logger.js';
export type { Log, Logger, LoggerOptions, LogLevel, LogOptions } from './logging/logger.js';
export { LATENCY_BOUNDS, MetricsRegistry } from './metrics/metrics-registry.js';
export type {
  Cell,
  Cells,
  HistogramCell,
  HistogramSample,
  MetricDefinition,
  Sample,
} from './metrics/metrics-registry.js';
export type { Labels } from './metrics/series.js';
export { parseCommandLine, type CommandLine } from './settings/command-line.js';
export type { EffectiveSettings } from './settings/effective.js';
export { envExample } from './settings/env-example.js';
export { sharedKafka } from './settings/groups/kafka.js';
export { kisKeyRule, kisTokenRule, sharedKis } from './settings/groups/kis.js';
export { sharedLake, sharedS3 } from './settings/groups/lake.js';
export { redisAddress, redisRule, sharedRedis, type RedisAddress } from './settings/groups/redis.js';
export { sharedTimescaledb, timescaledbSslRule } from './settings/groups/timescaledb.js';
export { loadSettings, type LoadedSettings, type SettingsSources } from './settings/load.js';
export { choiceFromEnvironment, invocationFolder } from './settings/process-environment.js';
export { defineSettings, rule } from './settings/schema.js';
export type {
  Rule,
  RuleFault,
  Setting,
  SettingsGroup,
  SettingsOf,
  SettingsSchema,
  SettingsTree,
  ValueOf,
} from './settings/schema.js';
export { settingFile } from './settings/setting-file.js';
export { serviceGroup, serviceSettings, type ServiceSettings } from './settings/service-group.js';
export {
  address,
  boolean,
  bytes,
  choice,
  duration,
  integer,
  integerChoice,
  list,
  orEmpty,
  path,
  port,
  secretText,
  text,
  url,
  type ValueType,
} from './settings/value-types.js';
