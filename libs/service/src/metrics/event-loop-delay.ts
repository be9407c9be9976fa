import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The histogram measures a timer of this interval, so every value contains it. */
const RESOLUTION_MS = 10;
const NS_PER_SECOND = 1e9;

/** How late the event loop came: what a message has to wait for others at worst. */
export class EventLoopDelay {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>;

  constructor() {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
  }

  /** Median, 99th percentile and maximum since the last call, seconds. */
  take(): readonly { readonly labels: { readonly quantile: string }; readonly value: number }[] {
    const histogram = this.#histogram;
    const delays = [
      { quantile: '0.5', value: histogram.percentile(50) },
      { quantile: '0.99', value: histogram.percentile(99) },
      { quantile: '1', value: histogram.max },
    ].map(({ quantile, value }) => ({ labels: { quantile }, value: late(value) }));
    histogram.reset();
    return delays;
  }

  close(): void {
    this.#histogram.disable();
  }
}

function late(nanos: number): number {
  return Math.max(0, nanos / NS_PER_SECOND - RESOLUTION_MS / 1_000);
}
