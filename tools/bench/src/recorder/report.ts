import { machineLine, table, type Figure, type Machine } from '../figures.ts';
import { markdownTable, shown } from '../markdown-table.ts';
import { lossesOf, type FlatMeasurement } from './flat.ts';

/** The JSON file. */
export interface RecorderReport {
  readonly measuredAt: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** Trades of a round; of books a fifth. */
  readonly rows: number;
  /** Of which `median`, `min` and `max` are taken. */
  readonly rounds: number;
  /** What the database was filled with for comparison. */
  readonly copyProgram?: string;
  readonly figures: readonly Figure[];
  readonly flat?: FlatMeasurement;
}

/** A producer that sends less than this share of the rate was held up. */
const HELD_SHARE = 0.98;

export function reportText({ machine, figures, copyProgram, flat }: RecorderReport): string {
  const parts = [machineLine(machine)];
  if (figures.length > 0) parts.push(table(figures));
  if (copyProgram !== undefined) parts.push(`COPY is ${copyProgram}, into the same tables with the same indexes.`);
  if (flat !== undefined) parts.push(flatText(flat));
  return parts.join('\n\n');
}

function flatText(flat: FlatMeasurement): string {
  const { rate, minutes, heldRate, lake, cpuPercent, series, sent, inDatabase, inParquet } = flat;
  const head = [
    `${shown(rate)} records/s for ${shown(minutes)} minutes`,
    'unit',
    'first half',
    'second half',
    'highest',
  ];
  const rows = series.map(({ what, unit, firstHalf, secondHalf, highest }) => [
    what,
    unit,
    ...[firstHalf, secondHalf, highest].map(shown),
  ]);
  const counts = Object.entries({ sent, 'in the database': inDatabase, 'in Parquet': inParquet }).map(
    ([where, { tick, orderbook }]) => [where, ...[tick, orderbook, tick + orderbook].map(shown)],
  );
  const losses = lossesOf(flat);
  return [
    markdownTable(head, rows),
    `Sent ${shown(heldRate)} records/s${heldRate < rate * HELD_SHARE ? ', because the machine gave no more' : ''}; the recorder took ${shown(cpuPercent)} % of a core; Parquet went to ${lake}.`,
    markdownTable(['records', 'trades', 'books', 'both'], counts),
    losses.length === 0 ? 'Both stores hold what was sent.' : losses.join('\n'),
  ].join('\n\n');
}
