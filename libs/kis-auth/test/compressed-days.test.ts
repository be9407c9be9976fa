import { join } from 'node:path';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it } from 'vitest';
import type { KisAuthOptions } from '../src/index.js';
import { openScene, type Scene } from './support/auth.js';
import { testFolder } from './support/folders.js';
import { testRedis, typed, type TestRedis } from './support/redis.js';

const { signal } = new AbortController();
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const KST = 9 * HOUR;

type Process = Awaited<ReturnType<Scene['open']>>;

/** Processes that use their token and their approval key all the time, while days pass as fast as the servers answer. */
class Days {
  readonly #scene: Scene;
  readonly #processes: readonly Process[];
  readonly #begin: number;
  readonly #redis: TestRedis | undefined;
  readonly used = new Set<string>();

  constructor(scene: Scene, processes: readonly Process[], redis?: TestRedis) {
    this.#scene = scene;
    this.#processes = processes;
    this.#redis = redis;
    this.#begin = scene.clock.now();
  }

  /** @param since the first start, in ms */
  async passUntil(since: number, isRedisThere = true): Promise<void> {
    const { clock, server } = this.#scene;
    while (clock.now() < this.#begin + since) {
      const all = this.#processes.flatMap(({ statistics: { token, approvalKey } }) => [token, approvalKey]);
      const isNearEnd = all.some(({ expiresAt = 0 }) => clock.now() > expiresAt - 20 * MINUTE);
      clock.advance(isNearEnd ? 10 * SECOND : 5 * MINUTE);
      await this.#useAll();
      await server.answers();
      if (isRedisThere && this.#redis !== undefined) await typed(this.#redis, 'PING');
    }
  }

  /** What is held is had without any time passing, and KIS takes it. */
  async #useAll(): Promise<void> {
    const values = this.#processes.flatMap(({ credentials }) => [
      credentials.token(signal),
      credentials.approvalKey(signal),
    ]);
    const had = await Promise.race([Promise.all(values), new Promise((resolve) => setImmediate(resolve, 'a wait'))]);
    expect(had).not.toBe('a wait');
    for (const value of had as readonly string[]) {
      expect(this.#scene.server.isValid(value)).toBe(true);
      this.used.add(value);
    }
  }

  /** How often KIS was asked at this address on each of its days. */
  perDay(path: string): readonly number[] {
    const days = new Map<string, number>();
    for (const request of this.#scene.server.requests.filter((other) => other.path === path)) {
      const day = new Date(request.at + KST).toISOString().slice(0, 10);
      days.set(day, (days.get(day) ?? 0) + 1);
    }
    return [...days.values()];
  }
}

async function begin(scene: Scene, count: number, options: () => Promise<Partial<KisAuthOptions>>, redis?: TestRedis) {
  const processes = await Promise.all(Array.from({ length: count }, async () => scene.open(await options())));
  await scene.clock.until(
    Promise.all(processes.flatMap(({ credentials }) => [credentials.token(signal), credentials.approvalKey(signal)])),
  );
  return { processes, days: new Days(scene, processes, redis) };
}

/** Issued in the morning, and each day ten minutes earlier: three of each in the course of two days, all of them used. */
function expectOneADay(scene: Scene, days: Days): void {
  expect(days.perDay('/oauth2/tokenP')).toEqual([1, 1, 1]);
  expect(days.perDay('/oauth2/Approval')).toEqual([1, 1, 1]);
  expect(scene.server.refused).toEqual([]);
  expect(days.used).toEqual(new Set(scene.server.issued));
}

describe('two days of use, through the end of a token and of an approval key twice', () => {
  it('by one process that keeps them in memory', async () => {
    const scene = await openScene();
    const { days } = await begin(scene, 1, () => Promise.resolve({}));
    await days.passUntil(48 * HOUR);
    expectOneADay(scene, days);
  });

  it('by three processes that keep them in a file', async () => {
    const scene = await openScene();
    const { days } = await begin(scene, 3, () => Promise.resolve({ tokenFile: join(scene.folder, 'tokens') }));
    await days.passUntil(48 * HOUR);
    expectOneADay(scene, days);
  });

  it.skipIf(redisUnavailable() !== undefined)(
    'by three machines, while Redis is killed at noon and in the minutes of the refresh, and comes back empty',
    async () => {
      const [scene, redis] = [await openScene(), await testRedis()];
      const { days, processes } = await begin(
        scene,
        3,
        async () => ({ redis: redis.settings, machineFolder: await testFolder(), leaseTtlMs: 0 }),
        redis,
      );
      const outage = async (from: number, to: number) => {
        await days.passUntil(from);
        await redis.server.kill();
        await days.passUntil(to, false);
        await redis.startEmpty();
        while (processes.some(({ auth }) => auth.isAway)) await new Promise(setImmediate);
      };
      await outage(6 * HOUR, 7 * HOUR);
      await outage(24 * HOUR - 12 * MINUTE, 24 * HOUR - 7 * MINUTE);
      expect(scene.server.issued).toHaveLength(2);
      await days.passUntil(48 * HOUR);
      expectOneADay(scene, days);
    },
  );
});
