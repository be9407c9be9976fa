import { systemClock, type Clock } from '@aipx/kis-auth';

const REST_MS = 10_000;

/** The system's clock, which says when its first sleeper looks at nothing closely any more. */
export class RestingClock implements Clock {
  readonly #rests = Promise.withResolvers<undefined>();

  now(): number {
    return systemClock.now();
  }

  random(): number {
    return systemClock.random();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > REST_MS) this.#rests.resolve(undefined);
    await systemClock.sleep(ms, signal);
  }

  async rests(): Promise<void> {
    await this.#rests.promise;
  }
}
