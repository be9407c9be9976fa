import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';
import type { Channel } from '@aipx/market-model';
import { spreadOf, type Spread } from './measure.ts';

export const GROUPS = ['parse', 'encode', 'log', 'hot', 'cold'] as const;
export type Group = (typeof GROUPS)[number];

export const CHANNELS = ['tick', 'orderbook'] as const satisfies Channel[];

/** One measured number. */
export interface Figure extends Spread {
  readonly group: Group;
  readonly what: string;
  /** A trade, or a book of 15 levels a side. */
  readonly of: Channel;
  readonly unit: 'µs/record' | 'bytes/record' | 'records/s' | 'rows/s' | 'bytes/row' | 'ratio';
}

export function figure(label: Omit<Figure, keyof Spread>, samples: readonly number[]): Figure {
  return { ...label, ...spreadOf(samples) };
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** What else was running: processes that wanted a core over the last minute, at the start. */
  readonly loadAverage: number;
}

export function thisMachine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
  };
}

export function machineLine({ cores, cpu, memoryGiB, system, node, loadAverage }: Machine): string {
  const load = `load average ${loadAverage.toFixed(1)} at the start`;
  return `${cores} cores, ${cpu}, ${memoryGiB} GiB, ${system}, Node.js ${node}, ${load}`;
}

/** The JSON file. */
export interface Report {
  readonly measuredAt: string;
  readonly quick: boolean;
  /** Of which `median`, `min` and `max` are taken. */
  readonly rounds: number;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

/** A Markdown table that reads well as text: one line a measure, trades beside books. */
export function table(figures: readonly Figure[]): string {
  const rows = [...Map.groupBy(figures, ({ group, what, unit }) => `${group}: ${what}|${unit}`)].map(
    ([label, cells]) => [...label.split('|'), ...CHANNELS.map((channel) => cell(cells, channel))],
  );
  const lines = [['median (min to max)', 'unit', 'trade', '15-level book'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) => line.map((text, column) => text.padEnd(widths[column] ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  return padded
    .toSpliced(1, 0, rule)
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}

function cell(figures: readonly Figure[], channel: Channel): string {
  const found = figures.find((one) => one.of === channel);
  return found === undefined ? '' : `${shown(found.median)} (${shown(found.min)} to ${shown(found.max)})`;
}

/** Three digits are more than a round repeats. */
function shown(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3, minimumSignificantDigits: value < 100 ? 2 : 1 });
}
