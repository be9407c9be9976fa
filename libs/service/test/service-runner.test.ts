import { describe, expect, it } from 'vitest';
import { createLogger, ServiceRunner, type ManagedService } from '../src/index.js';

const logger = createLogger({ service: 'sample', format: 'json', level: 'silent' });

/** Keeps a list of what happens to it. */
function recorded(service: Partial<ManagedService> = {}) {
  const events: string[] = [];
  const managed: ManagedService = {
    ended: service.ended ?? new Promise(() => undefined),
    start: async (stopping) => {
      events.push('start');
      await service.start?.(stopping);
    },
    stop: async (atOnce) => {
      events.push('stop');
      await service.stop?.(atOnce);
    },
  };
  return { events, runner: new ServiceRunner(managed, { logger, graceMs: 200 }) };
}

describe('a service runner', () => {
  it('refuses a second start with a code', async () => {
    const { events, runner } = recorded();
    await runner.start();
    await expect(runner.start()).rejects.toMatchObject({ code: 'CONFIG_ALREADY_RUNNING' });
    expect(events).toEqual(['start']);
  });

  it('refuses a second start also while the first is under way, and after a stop', async () => {
    const { runner } = recorded();
    const first = runner.start();
    await expect(runner.start()).rejects.toMatchObject({ code: 'CONFIG_ALREADY_RUNNING' });
    await first;
    await runner.stop();
    await expect(runner.start()).rejects.toMatchObject({ code: 'CONFIG_ALREADY_RUNNING' });
  });

  it('stops once, however often it is asked', async () => {
    const { events, runner } = recorded();
    await runner.start();
    expect(await Promise.all([runner.stop(), runner.stop()])).toEqual([0, 0]);
    expect(await runner.stop()).toBe(0);
    expect(events).toEqual(['start', 'stop']);
  });

  it('waits for a start that is under way before it stops', async () => {
    const order: string[] = [];
    const { runner } = recorded({
      start: (stopping) =>
        new Promise((_, reject) => {
          stopping.addEventListener('abort', () => {
            order.push('start gave up');
            reject(new Error('stopped'));
          });
        }),
      stop: () => Promise.resolve(void order.push('stopped')),
    });
    const start = runner.start();
    expect(await runner.stop()).toBe(0);
    await expect(start).rejects.toThrow('stopped');
    expect(order).toEqual(['start gave up', 'stopped']);
  });

  it('stops when somebody in the process asks, and its run then ends', async () => {
    const { events, runner } = recorded();
    const run = runner.run();
    expect(await runner.stop()).toBe(0);
    expect(await run).toBe(0);
    expect(events).toEqual(['start', 'stop']);
  });

  it('reports a stop that fails or takes too long, to whoever asked and to the run', async () => {
    const failing = recorded({ stop: () => Promise.reject(new Error('lost')) });
    await failing.runner.start();
    expect(await failing.runner.stop()).toBe(1);
    let told = false;
    const stuck = recorded({
      stop: (atOnce) => {
        atOnce.addEventListener('abort', () => (told = true));
        return new Promise(() => undefined);
      },
    });
    const run = stuck.runner.run();
    expect(await stuck.runner.stop()).toBe(1);
    expect([told, await run]).toEqual([true, 1]);
  });

  it('leaves no listener and no timer behind', async () => {
    const before = ['SIGTERM', 'SIGINT', 'uncaughtException'].map((name) => process.listenerCount(name));
    const { runner } = recorded({ ended: Promise.resolve() });
    expect(await runner.run()).toBe(0);
    expect(['SIGTERM', 'SIGINT', 'uncaughtException'].map((name) => process.listenerCount(name))).toEqual(before);
  });

  it('does not mind a service that ends with a fault before anybody waits for it', async () => {
    const { runner } = recorded({ ended: Promise.reject(new Error('early')) });
    expect(await runner.run()).toBe(1);
  });
});
