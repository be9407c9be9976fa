import { collectDefaultMetrics, Registry, validateMetricName, type Metric } from 'prom-client';
import { EventLoopDelay } from './event-loop-delay.js';
import { SeriesBook, type Labels } from './series.js';

export interface MetricDefinition<Name extends string> {
  /** Without the registry's prefix. Ends in the unit, counters in `_total`. */
  readonly name: string;
  readonly help: string;
  /** @default none */
  readonly labels?: readonly Name[];
  /** Named alike in every service that has it: without the prefix. */
  readonly isShared?: true;
}

/** One value of a metric that is read from elsewhere. */
export interface Sample<Name extends string> {
  readonly labels: Labels<Name>;
  readonly value: number;
}

/** One histogram that is counted elsewhere. */
export interface HistogramSample<Name extends string> {
  readonly labels: Labels<Name>;
  /** How many values fell at or below each bound and above the one before; the last: above all bounds. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/** A plain number to bump. */
export class Cell {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

/** Counts of values by size, for one combination of labels. Observing costs a few comparisons. */
export class HistogramCell {
  readonly counts: number[];
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? 0)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
  }
}

/** Where the numbers of one metric are kept, by labels. Take a cell once and keep it: looking it up costs more. */
export interface Cells<Name extends string, C> {
  of(labels: Labels<Name>): C;
}

/** Seconds: from half a millisecond to ten seconds. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

interface ExposedValue {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The metrics of one process, in the Prometheus text format. Nothing is global. Values are plain numbers, kept here in
 * cells or read from elsewhere when somebody asks.
 */
export class MetricsRegistry {
  readonly #prefix: string;
  readonly #registry = new Registry();
  #eventLoopDelay: EventLoopDelay | undefined;

  /** @param prefix of every name, such as `ingestion_` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** A number that only grows. */
  counter<Name extends string = never>(definition: MetricDefinition<Name>): Cells<Name, Cell> {
    return this.#cells('counter', definition);
  }

  /** A number that goes up and down. */
  gauge<Name extends string = never>(definition: MetricDefinition<Name>): Cells<Name, Cell> {
    return this.#cells('gauge', definition);
  }

  /** @param bounds ascending, in the unit of the name; `LATENCY_BOUNDS` for seconds */
  histogram<Name extends string = never>(
    definition: MetricDefinition<Name>,
    bounds: readonly number[],
  ): Cells<Name, HistogramCell> {
    const cells = new CellMap<Name, HistogramCell>(definition.labels ?? [], () => new HistogramCell(bounds));
    this.#register('histogram', definition, () =>
      cells
        .entries()
        .flatMap(([labels, { counts, sum }]) => buckets(this.#name(definition), bounds, labels, counts, sum)),
    );
    return cells;
  }

  /** A counter that is counted elsewhere: `collect` is called when somebody asks. */
  collectCounter<Name extends string = never>(
    definition: MetricDefinition<Name>,
    collect: () => Iterable<Sample<Name>>,
  ): void {
    this.#collect('counter', definition, collect);
  }

  collectGauge<Name extends string = never>(
    definition: MetricDefinition<Name>,
    collect: () => Iterable<Sample<Name>>,
  ): void {
    this.#collect('gauge', definition, collect);
  }

  collectHistogram<Name extends string = never>(
    definition: MetricDefinition<Name>,
    bounds: readonly number[],
    collect: () => Iterable<HistogramSample<Name>>,
  ): void {
    const book = new SeriesBook(definition.labels ?? []);
    this.#register('histogram', definition, () =>
      [...collect()].flatMap(({ labels, counts, sum }) =>
        buckets(this.#name(definition), bounds, book.admit(labels), counts, sum),
      ),
    );
  }

  /** Memory, CPU, handles and garbage collection under their usual names, and the delay of the event loop. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
    const delay = new EventLoopDelay();
    this.#eventLoopDelay = delay;
    const definition = {
      name: 'event_loop_delay_seconds',
      help: 'How late the event loop came since the last time somebody asked',
      labels: ['quantile'],
    } as const;
    this.collectGauge(definition, () => delay.take());
  }

  /** The `Content-Type` of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Ends what `collectProcess` began. */
  close(): void {
    this.#eventLoopDelay?.close();
  }

  #cells<Name extends string>(type: 'counter' | 'gauge', definition: MetricDefinition<Name>): Cells<Name, Cell> {
    const cells = new CellMap<Name, Cell>(definition.labels ?? [], () => new Cell());
    this.#register(type, definition, () => cells.entries().map(([labels, { value }]) => ({ labels, value })));
    return cells;
  }

  #collect<Name extends string>(
    type: 'counter' | 'gauge',
    definition: MetricDefinition<Name>,
    collect: () => Iterable<Sample<Name>>,
  ): void {
    const book = new SeriesBook(definition.labels ?? []);
    this.#register(type, definition, () => {
      const sums = new Map<Labels<Name>, number>();
      for (const { labels, value } of collect()) {
        const admitted = book.admit(labels);
        sums.set(admitted, (sums.get(admitted) ?? 0) + value);
      }
      return [...sums].map(([labels, value]) => ({ labels, value }));
    });
  }

  #register(
    type: 'counter' | 'gauge' | 'histogram',
    definition: MetricDefinition<string>,
    values: () => readonly ExposedValue[],
  ): void {
    const name = this.#name(definition);
    if (!validateMetricName(name)) throw new Error(`${name} cannot be the name of a metric`);
    const { help } = definition;
    const metric = {
      name,
      help,
      type,
      get: () => Promise.resolve().then(() => ({ name, help, type, values: values() })),
    };
    // The registry asks no more of a metric than this; its own classes keep their values themselves.
    this.#registry.registerMetric(metric as unknown as Metric);
  }

  #name({ name, isShared }: MetricDefinition<string>): string {
    return isShared ? name : `${this.#prefix}${name}`;
  }
}

class CellMap<Name extends string, C> implements Cells<Name, C> {
  readonly #book: SeriesBook<Name>;
  readonly #make: () => C;
  readonly #cells = new Map<Labels<Name>, C>();

  constructor(names: readonly Name[], make: () => C) {
    this.#book = new SeriesBook(names);
    this.#make = make;
    // Without labels there is one series, and it shows from the start.
    if (names.length === 0) this.of({} as Labels<Name>);
  }

  of(labels: Labels<Name>): C {
    const admitted = this.#book.admit(labels);
    let cell = this.#cells.get(admitted);
    if (cell === undefined) {
      cell = this.#make();
      this.#cells.set(admitted, cell);
    }
    return cell;
  }

  entries(): readonly (readonly [Labels<Name>, C])[] {
    return [...this.#cells];
  }
}

function buckets(
  name: string,
  bounds: readonly number[],
  labels: Labels,
  counts: ArrayLike<number>,
  sum: number,
): readonly ExposedValue[] {
  let atMost = 0;
  const steps = [...bounds.map(String), '+Inf'].map((le, index) => {
    atMost += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: atMost };
  });
  return [
    ...steps,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: atMost },
  ];
}
