import { durationText, type HealthComponent, type HealthStatus } from '@aipx/service';
import type { SinkName, SinkStatus } from './sinks/sink.js';
import { ageMs, sinksOf, type RecorderServiceStatus, type SinkStatuses } from './status.js';

/** How the way from the log stands. */
export function consumerHealth({ log, sinks }: Pick<RecorderServiceStatus, 'log' | 'sinks'>): HealthComponent {
  const { isOpen, fault, lastError } = log;
  const name = 'consumer';
  if (!isOpen) return { name, status: 'DEGRADED', detail: `waiting for Kafka: ${lastError || 'connecting'}` };
  if (fault !== undefined) return { name, status: 'DEGRADED', detail: `Kafka does not answer: ${fault.message}` };
  const shares = sinksOf(sinks).map((sink) => `${sink.positions.length} for ${sink.name}`);
  return { name, status: 'HEALTHY', detail: `partitions: ${shares.join(', ')}` };
}

/**
 * How a sink stands.
 *
 * @param maxLagMs 0 = any
 */
export function sinkHealth(name: SinkName, sinks: SinkStatuses, maxLagMs: number, nowMs: number): HealthComponent {
  const all = sinksOf(sinks);
  const sink = all.find((each) => each.name === name);
  if (sink === undefined) return { name, status: 'UNHEALTHY', detail: 'not started, the log comes first' };
  const problem = waitProblem(sink, nowMs);
  if (problem !== undefined) {
    const noneCanStore = all.every((each) => waitProblem(each, nowMs) !== undefined);
    return { name, status: noneCanStore ? 'UNHEALTHY' : 'DEGRADED', detail: problem };
  }
  const { status, detail } = lagHealth(sink, maxLagMs, nowMs);
  return { name, status, detail };
}

function waitProblem({ fault, recorder }: SinkStatus, nowMs: number): string | undefined {
  if (fault !== undefined) return `waiting for ${seconds(nowMs - fault.since)}: ${fault.error.message}`;
  return recorder === undefined ? 'opening' : undefined;
}

function lagHealth(
  { recorder, batchTimeoutMs }: SinkStatus,
  maxLagMs: number,
  nowMs: number,
): { readonly status: HealthStatus; readonly detail: string } {
  const waitingSince = recorder?.waitingSince;
  if (waitingSince === undefined) return { status: 'HEALTHY', detail: 'all that was read is stored' };
  const oldestMs = ageMs(waitingSince, nowMs);
  const detail = `${recorder?.bufferedRecords ?? 0} records wait, the oldest for ${seconds(oldestMs)}`;
  if (maxLagMs === 0 || oldestMs <= batchTimeoutMs + maxLagMs) return { status: 'HEALTHY', detail };
  const limit = `a batch may take ${durationText(batchTimeoutMs)} to fill, and SINK_MAX_LAG is ${durationText(maxLagMs)}`;
  return { status: 'DEGRADED', detail: `${detail}: ${limit}` };
}

function seconds(millis: number): string {
  return `${Math.round(millis / 1_000)}s`;
}
