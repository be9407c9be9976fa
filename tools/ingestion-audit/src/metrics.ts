/** What `/metrics` said at one moment. */
export class Metrics {
  readonly #samples: readonly Sample[];

  /** @param text in the Prometheus text format */
  constructor(text: string) {
    this.#samples = text.split('\n').flatMap(sampleOf);
  }

  /** The sum over all labels. @throws when there is no such metric, so that a renamed one is not taken for 0 */
  sum(name: string): number {
    const own = this.#samples.filter((sample) => sample.name === name);
    if (own.length === 0) throw new Error(`the service shows no ${name} at /metrics`);
    return own.reduce((sum, { value }) => sum + value, 0);
  }

  /** By one label; a metric without samples is empty. */
  by(name: string, label: string): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const sample of this.#samples) {
      const key = sample.name === name ? sample.labels[label] : undefined;
      if (key !== undefined) sums[key] = (sums[key] ?? 0) + sample.value;
    }
    return sums;
  }
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function sampleOf(line: string): readonly Sample[] {
  const parts = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)/i.exec(line);
  if (parts === null) return [];
  const [, name = '', labels = '', value = ''] = parts;
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, key = '', text = '']) => [key, text] as const,
  );
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
}
