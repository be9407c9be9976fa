import { LatencyHistogram } from './latency.ts';

interface Sample {
  /** As they stand there. */
  readonly labels: string;
  readonly value: number;
}

/** What `/metrics` said at one moment. */
export class Metrics {
  readonly #text: string;

  /** @param text in the Prometheus text format */
  constructor(text: string) {
    this.#text = text;
  }

  /**
   * The sum over all that have these labels.
   *
   * @throws when there is no such metric, so that a renamed one is not taken for 0
   */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return this.#existing(name)
      .filter((sample) => wanted.every((one) => sample.labels.includes(one)))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** Whether it has values yet: those of the ingestion come when the log is open. */
  holds(name: string): boolean {
    return this.#samples(name).length > 0;
  }

  /** A histogram in seconds. @throws when there is none of the name */
  latency(name: string): LatencyHistogram {
    const buckets = this.#existing(`${name}_bucket`).map(({ labels, value }) => {
      const bound = /le="([^"]+)"/.exec(labels)?.[1] ?? '';
      return { atMostMs: bound === '+Inf' ? Infinity : Number(bound) * 1_000, count: value };
    });
    return LatencyHistogram.ofCumulative(buckets);
  }

  #existing(name: string): readonly Sample[] {
    const samples = this.#samples(name);
    if (samples.length === 0) throw new Error(`the service shows no ${name} at /metrics`);
    return samples;
  }

  #samples(name: string): readonly Sample[] {
    const lines = this.#text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, 'gm'));
    return [...lines].map(([, labels = '', value]) => ({ labels, value: Number(value) }));
  }
}
