import { machineLine, type Machine } from '../figures.ts';
import { markdownTable, shown } from '../markdown-table.ts';
import type { BareMeasurement } from './bare.ts';
import type { Step } from './ceiling.ts';
import type { Minute, Slope } from './flat.ts';
import type { LatencyHistogram } from './latency.ts';
import type { LoadMeasurement } from './load.ts';
import type { Usage } from './usage.ts';

/** One measured number. */
export interface IngestionFigure {
  readonly what: string;
  readonly unit: 'messages' | 'messages/s' | 'ms' | 'MB' | '% of a core';
  /** What was measured: the service, or kafkajs alone with the same bytes. */
  readonly of: 'service' | 'bare kafkajs';
  /** Asked for, messages a second. */
  readonly rate: number;
  /** Absent from the JSON file where it is beyond what is counted. */
  readonly value: number;
}

/** A rate that was tried for the highest one that holds. */
export interface StepFigure {
  readonly rate: number;
  readonly heldRate: number;
  readonly conflated: number;
  readonly dropped: number;
  readonly p99Ms: number;
  readonly residentMb: number;
  readonly servicePercent: number;
  readonly venuePercent: number;
  readonly brokerPercent: number;
  /** Absent where it holds. */
  readonly fails?: string;
}

/** The JSON file. What was not asked for is absent. */
export interface IngestionReport {
  readonly measuredAt: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly nodeFlags: readonly string[];
  /** Of each rate, after the warm-up. */
  readonly seconds: number;
  readonly figures: readonly IngestionFigure[];
  readonly steps?: readonly StepFigure[];
  /** Messages a second; 0 when no step held. */
  readonly highestRateHeld?: number;
  readonly flat?: { readonly rate: number; readonly minutes: readonly Minute[]; readonly slope: Slope };
}

type Label = Pick<IngestionFigure, 'what' | 'unit'>;

export function serviceFigures(rate: number, measured: LoadMeasurement): readonly IngestionFigure[] {
  const { counts, inKafka, heldRate, fromFrame, fromSend, usage } = measured;
  const figures: readonly (readonly [Label, number])[] = [
    ...(['sent', 'received', 'published', 'conflated', 'dropped'] as const).map(
      (what) => [{ what, unit: 'messages' }, counts[what]] as const,
    ),
    [{ what: 'in Kafka', unit: 'messages' }, inKafka],
    [{ what: 'rate', unit: 'messages/s' }, heldRate],
    ...latencies('frame to acknowledgement', fromFrame),
    ...latencies('send to acknowledgement', fromSend),
    ...memory(usage.service),
    [{ what: 'CPU', unit: '% of a core' }, usage.service.cpuPercent],
    [{ what: 'CPU of the simulated venue', unit: '% of a core' }, usage.venue.cpuPercent],
    [{ what: 'CPU of the broker', unit: '% of a core' }, usage.broker.cpuPercent],
  ];
  return figures.map(([label, value]) => ({ ...label, of: 'service', rate, value }));
}

export function bareFigures(
  rate: number,
  { sent, fromDue, fromSend, usage }: BareMeasurement,
): readonly IngestionFigure[] {
  const figures: readonly (readonly [Label, number])[] = [
    [{ what: 'sent', unit: 'messages' }, sent],
    ...latencies('frame to acknowledgement', fromDue),
    ...latencies('send to acknowledgement', fromSend),
    ...memory(usage),
    [{ what: 'CPU', unit: '% of a core' }, usage.cpuPercent],
  ];
  return figures.map(([label, value]) => ({ ...label, of: 'bare kafkajs', rate, value }));
}

function latencies(what: string, histogram: LatencyHistogram): readonly (readonly [Label, number])[] {
  return [
    [{ what: `${what}, median`, unit: 'ms' }, histogram.quantile(0.5)],
    [{ what: `${what}, 99 %`, unit: 'ms' }, histogram.quantile(0.99)],
    [{ what: `${what}, all below`, unit: 'ms' }, histogram.max],
  ];
}

function memory({ medianMb, maxMb }: Usage): readonly (readonly [Label, number])[] {
  return [
    [{ what: 'resident memory, median', unit: 'MB' }, medianMb],
    [{ what: 'resident memory, highest', unit: 'MB' }, maxMb],
  ];
}

export function stepFigure({ rate, measured, fails }: Step): StepFigure {
  const { heldRate, usage, fromFrame } = measured;
  return {
    rate,
    heldRate,
    conflated: measured.measured.conflated,
    dropped: measured.measured.dropped,
    p99Ms: fromFrame.quantile(0.99),
    residentMb: usage.service.maxMb,
    servicePercent: usage.service.cpuPercent,
    venuePercent: usage.venue.cpuPercent,
    brokerPercent: usage.broker.cpuPercent,
    ...(fails !== undefined && { fails }),
  };
}

/** Markdown tables that read well as text. */
export function reportText(report: IngestionReport): string {
  const { machine, figures, steps, highestRateHeld, flat } = report;
  const parts = [machineLine(machine)];
  if (figures.length > 0) parts.push(rateTable(figures));
  if (steps !== undefined) parts.push(stepTable(steps), `Highest rate held: ${shown(highestRateHeld ?? 0)} messages/s`);
  if (flat !== undefined) parts.push(minuteTable(flat.minutes), slopeLine(flat.slope));
  return parts.join('\n\n');
}

export function stepLine({ rate, heldRate, p99Ms, residentMb, servicePercent, fails }: StepFigure): string {
  const outcome = fails === undefined ? 'holds' : `does not hold: ${fails}`;
  return `${shown(rate)}/s ${outcome} (${shown(heldRate)}/s, 99 % within ${shown(p99Ms)} ms, ${shown(residentMb)} MB, ${shown(servicePercent)} % of a core)`;
}

export function minuteLine({ minute, residentMb, heapMb }: Minute): string {
  return `minute ${minute}: ${shown(residentMb)} MB resident, ${shown(heapMb)} MB of heap`;
}

function slopeLine({ residentMbAMinute, heapMbAMinute }: Slope): string {
  return `Slope over the second half: ${residentMbAMinute.toFixed(2)} MB resident and ${heapMbAMinute.toFixed(2)} MB of heap a minute`;
}

function rateTable(figures: readonly IngestionFigure[]): string {
  const columnOf = ({ rate, of }: IngestionFigure) => `${shown(rate)}/s: ${of}`;
  const columns = [...new Set(figures.map(columnOf))];
  const rows = [...Map.groupBy(figures, ({ what, unit }) => `${what}|${unit}`)].map(([label, cells]) => [
    ...label.split('|'),
    ...columns.map((column) => {
      const found = cells.find((cell) => columnOf(cell) === column);
      return found === undefined ? '' : shown(found.value);
    }),
  ]);
  return markdownTable(['', 'unit', ...columns], rows);
}

function stepTable(steps: readonly StepFigure[]): string {
  const head = ['messages/s', 'sent/s', '99 % ms', 'MB', 'service CPU %', 'venue CPU %', 'broker CPU %', 'holds'];
  const rows = steps.map((step) => [
    ...[step.rate, step.heldRate, step.p99Ms, step.residentMb].map(shown),
    ...[step.servicePercent, step.venuePercent, step.brokerPercent].map(shown),
    step.fails ?? 'yes',
  ]);
  return markdownTable(head, rows);
}

function minuteTable(minutes: readonly Minute[]): string {
  const rows = minutes.map(({ minute, residentMb, heapMb }) => [minute, residentMb, heapMb].map(shown));
  return markdownTable(['minute', 'resident MB', 'heap MB'], rows);
}
