import { describe, expect, it } from 'vitest';
import { AttemptLog } from '../src/attempts/attempt-log.js';
import { FileStore } from '../src/stores/file-store.js';

const clock = { now: () => 1_000 };
const NAME = 'kis:attempt:real:0123456789ab';

describe('the log of attempts', () => {
  it('puts back into an emptied store what it wrote, and what it could not write, but nothing that is older', async () => {
    const store = FileStore.inMemory();
    const [a, b] = [new AttemptLog(store, NAME, clock), new AttemptLog(store, NAME, clock)];
    await a.write('token', { at: 5, notBefore: 5 });
    await b.write('connect', { at: 7, notBefore: 7 });
    await store.swap(NAME, await store.read(NAME), undefined);
    await b.write('token', { at: 9, notBefore: 9 });
    await a.putBack();
    expect(await a.read('token')).toEqual({ at: 9, notBefore: 9 });
    expect(await a.read('connect')).toBeUndefined();
    await b.putBack();
    expect(await a.read('connect')).toEqual({ at: 7, notBefore: 7 });
  });

  it('puts back into an emptied store the attempt that was begun in it', async () => {
    const store = FileStore.inMemory();
    const [asker, other] = [new AttemptLog(store, NAME, clock), new AttemptLog(store, NAME, clock)];
    expect(await asker.begin('token', undefined, { at: 5, notBefore: 66 })).toBe(true);
    await store.swap(NAME, await store.read(NAME), undefined);
    await asker.putBack();
    expect(await other.read('token')).toEqual({ at: 5, notBefore: 66 });
    expect(await other.begin('token', undefined, { at: 6, notBefore: 67 })).toBe(false);
  });

  it('leaves a store alone as long as it has written nothing', async () => {
    const store = FileStore.inMemory();
    await new AttemptLog(store, NAME, clock).putBack();
    expect(await store.read(NAME)).toBeUndefined();
  });

  it('is empty where something else stands', async () => {
    const store = FileStore.inMemory();
    for (const value of ['not JSON', '7', 'null', '{"token":7}', '{"token":{"at":1}}']) {
      await store.swap(NAME, await store.read(NAME), { value, ttlMs: 1_000 });
      expect(await new AttemptLog(store, NAME, clock).read('token')).toBeUndefined();
    }
  });

  it('takes an attempt from the future for one of now, so that a clock that is set back makes no wait longer', async () => {
    const store = FileStore.inMemory();
    let now = 3_600_000;
    const setBack = { now: () => now };
    const logs = [new AttemptLog(store, NAME, setBack), new AttemptLog(store, NAME, setBack)] as const;
    await logs[0].write('connect', { at: now, notBefore: now + 20_000 });
    now = 0;
    for (const log of logs) expect(await log.read('connect')).toEqual({ at: 0, notBefore: 20_000 });
    now = 19_000;
    for (const log of logs) expect(await log.read('connect')).toEqual({ at: 0, notBefore: 20_000 });
  });

  it('loses none of many writers that write at once', async () => {
    const store = FileStore.inMemory();
    const kinds = ['token', 'approval', 'connect'] as const;
    await Promise.all(kinds.map((kind, at) => new AttemptLog(store, NAME, clock).write(kind, { at, notBefore: at })));
    expect(JSON.parse((await store.read(NAME)) ?? '')).toEqual({
      token: { at: 0, notBefore: 0 },
      approval: { at: 1, notBefore: 1 },
      connect: { at: 2, notBefore: 2 },
    });
  });
});
