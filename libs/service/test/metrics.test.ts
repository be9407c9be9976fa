import { afterEach, describe, expect, it } from 'vitest';
import { MetricsRegistry } from '../src/index.js';
import { MOST_SERIES } from '../src/metrics/series.js';

let registry: MetricsRegistry | undefined;

function open(prefix = 'sample_'): MetricsRegistry {
  registry = new MetricsRegistry(prefix);
  return registry;
}

afterEach(() => registry?.close());

/** Lines of the text that are values. */
async function valuesOf(metrics: MetricsRegistry): Promise<readonly string[]> {
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('a counter', () => {
  it('is a plain number in a cell that is taken once', async () => {
    const metrics = open();
    const published = metrics.counter({ name: 'published_total', help: 'Published.', labels: ['venue', 'kind'] });
    const ticks = published.of({ venue: 'upbit', kind: 'tick' });
    for (let n = 0; n < 3; n++) ticks.add();
    published.of({ kind: 'orderbook', venue: 'upbit' }).add(2);
    expect(published.of({ venue: 'upbit', kind: 'tick' })).toBe(ticks);
    expect(await metrics.text()).toBe(
      [
        '# HELP sample_published_total Published.',
        '# TYPE sample_published_total counter',
        'sample_published_total{venue="upbit",kind="tick"} 3',
        'sample_published_total{venue="upbit",kind="orderbook"} 2',
        '',
      ].join('\n'),
    );
  });

  it('that every service names alike goes without the prefix', async () => {
    const metrics = open();
    metrics.collectCounter({ name: 'kis_token_issues_total', help: 'Issued.', isShared: true }, () => [
      { labels: {}, value: 1 },
    ]);
    expect(await valuesOf(metrics)).toEqual(['kis_token_issues_total 1']);
  });

  it('without labels shows from the start', async () => {
    const metrics = open();
    metrics.counter({ name: 'restarts_total', help: 'Restarts.' });
    expect(await valuesOf(metrics)).toEqual(['sample_restarts_total 0']);
  });

  it('that is counted elsewhere is asked for its numbers only when somebody asks', async () => {
    const metrics = open();
    const counts = { upbit: 1 };
    let asked = 0;
    metrics.collectCounter({ name: 'received_total', help: 'Received.', labels: ['venue'] }, () => {
      asked += 1;
      return [{ labels: { venue: 'upbit' }, value: counts.upbit }];
    });
    counts.upbit = 41;
    expect(asked).toBe(0);
    expect(await valuesOf(metrics)).toEqual(['sample_received_total{venue="upbit"} 41']);
    counts.upbit = 42;
    expect(await valuesOf(metrics)).toEqual(['sample_received_total{venue="upbit"} 42']);
    expect(asked).toBe(2);
  });
});

describe('a gauge', () => {
  it('goes up and down, in a cell or elsewhere', async () => {
    const metrics = open();
    const depth = metrics.gauge({ name: 'depth', help: 'Depth.' }).of({});
    metrics.collectGauge({ name: 'bytes', help: 'Bytes.' }, () => [{ labels: {}, value: 12.5 }]);
    depth.value = 7;
    depth.add(-2);
    expect(await valuesOf(metrics)).toEqual(['sample_depth 5', 'sample_bytes 12.5']);
  });
});

describe('a histogram', () => {
  const BOUNDS = [0.001, 0.01, 0.1];

  it('counts each value at or below its bound, and shows sums from the smallest up', async () => {
    const metrics = open();
    const latency = metrics.histogram({ name: 'latency_seconds', help: 'Latency.', labels: ['venue'] }, BOUNDS);
    const upbit = latency.of({ venue: 'upbit' });
    for (const value of [0, 0.001, 0.002, 0.05, 7]) upbit.observe(value);
    expect(await valuesOf(metrics)).toEqual([
      'sample_latency_seconds_bucket{venue="upbit",le="0.001"} 2',
      'sample_latency_seconds_bucket{venue="upbit",le="0.01"} 3',
      'sample_latency_seconds_bucket{venue="upbit",le="0.1"} 4',
      'sample_latency_seconds_bucket{venue="upbit",le="+Inf"} 5',
      'sample_latency_seconds_sum{venue="upbit"} 7.053',
      'sample_latency_seconds_count{venue="upbit"} 5',
    ]);
  });

  it('that is counted elsewhere has the same form', async () => {
    const metrics = open();
    metrics.collectHistogram({ name: 'latency_seconds', help: 'Latency.' }, BOUNDS, () => [
      { labels: {}, counts: Uint32Array.of(2, 1, 0, 1), sum: 3 },
    ]);
    expect(await valuesOf(metrics)).toEqual([
      'sample_latency_seconds_bucket{le="0.001"} 2',
      'sample_latency_seconds_bucket{le="0.01"} 3',
      'sample_latency_seconds_bucket{le="0.1"} 3',
      'sample_latency_seconds_bucket{le="+Inf"} 4',
      'sample_latency_seconds_sum 3',
      'sample_latency_seconds_count 4',
    ]);
  });
});

describe('labels', () => {
  it('have a bounded number of values: what comes after a hundred counts under "other"', async () => {
    const metrics = open();
    const direct = metrics.counter({ name: 'direct_total', help: 'x', labels: ['symbol'] });
    metrics.collectCounter({ name: 'elsewhere_total', help: 'x', labels: ['symbol'] }, () =>
      Array.from({ length: MOST_SERIES + 50 }, (_, n) => ({ labels: { symbol: `S${n}` }, value: 2 })),
    );
    for (let n = 0; n < MOST_SERIES + 50; n++) direct.of({ symbol: `S${n}` }).add();
    direct.of({ symbol: 'S0' }).add();
    const values = await valuesOf(metrics);
    expect(values).toHaveLength(2 * (MOST_SERIES + 1));
    expect(values).toContain('sample_direct_total{symbol="S0"} 2');
    expect(values).toContain('sample_direct_total{symbol="other"} 50');
    expect(values).toContain('sample_elsewhere_total{symbol="other"} 100');
  });

  it('are written so that no value can break out of its quotes', async () => {
    const metrics = open();
    metrics
      .counter({ name: 'x_total', help: 'x', labels: ['reason'] })
      .of({ reason: 'a"b\\c\nd' })
      .add();
    expect(await valuesOf(metrics)).toEqual(['sample_x_total{reason="a\\"b\\\\c\\nd"} 1']);
  });
});

describe('a registry', () => {
  it('refuses a metric twice, and names that Prometheus does not take', () => {
    const metrics = open();
    metrics.counter({ name: 'x_total', help: 'x' });
    expect(() => metrics.counter({ name: 'x_total', help: 'x' })).toThrow(/sample_x_total has already been registered/);
    expect(() => metrics.counter({ name: 'a-b', help: 'x' })).toThrow('sample_a-b cannot be the name of a metric');
    expect(() => metrics.counter({ name: 'y', help: 'x', labels: ['a-b'] })).toThrow(
      'a-b cannot be the name of a label',
    );
    expect(() => metrics.histogram({ name: 'z', help: 'x', labels: ['le'] }, [])).toThrow('le cannot be the name');
  });

  it('shares nothing with another one', async () => {
    open('a_').counter({ name: 'x_total', help: 'x' });
    expect(await valuesOf(open('b_'))).toEqual([]);
  });

  it('shows the process under its usual names, and how late the event loop comes', async () => {
    const metrics = open();
    metrics.collectProcess();
    const text = await metrics.text();
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toMatch(/^process_cpu_user_seconds_total /m);
    expect(text).toMatch(/^nodejs_heap_size_used_bytes \d+$/m);
    for (const quantile of ['0.5', '0.99', '1']) {
      expect(text).toMatch(new RegExp(`^sample_event_loop_delay_seconds\\{quantile="${quantile}"\\} \\d`, 'm'));
    }
  });

  it('shows a busy event loop as a delay, once', async () => {
    const metrics = open();
    metrics.collectProcess();
    const longest = async () => {
      const line = (await valuesOf(metrics)).find((each) => each.includes('event_loop_delay_seconds{quantile="1"}'));
      return Number(line?.split(' ')[1]);
    };
    const passed = () => new Promise((resolve) => setTimeout(resolve, 30));
    await passed();
    const until = performance.now() + 150;
    while (performance.now() < until);
    await passed();
    expect(await longest()).toBeGreaterThan(0.1);
    expect(await longest()).toBeLessThan(0.1);
  });
});
