import { describe, expect, it } from 'vitest';
import { AttemptLog } from '../src/attempts/attempt-log.js';
import { FileStore } from '../src/stores/file-store.js';

const NAME = 'kis:attempt:real:0123456789ab';

describe('the log of attempts', () => {
  it('puts back into an emptied store what it wrote, and what it could not write, but nothing that is older', async () => {
    const store = FileStore.inMemory();
    const [a, b] = [new AttemptLog(store, NAME), new AttemptLog(store, NAME)];
    await a.write('token', { at: 5 });
    await b.write('connect', { at: 7 });
    await store.swap(NAME, await store.read(NAME), undefined);
    await b.write('token', { at: 9 });
    await a.putBack();
    expect(await a.read('token')).toEqual({ at: 9 });
    expect(await a.read('connect')).toBeUndefined();
    await b.putBack();
    expect(await a.read('connect')).toEqual({ at: 7 });
  });

  it('leaves a store alone as long as it has written nothing', async () => {
    const store = FileStore.inMemory();
    await new AttemptLog(store, NAME).putBack();
    expect(await store.read(NAME)).toBeUndefined();
  });

  it('is empty where something else stands', async () => {
    const store = FileStore.inMemory();
    for (const value of ['not JSON', '7', 'null']) {
      await store.swap(NAME, await store.read(NAME), { value, ttlMs: 1_000 });
      expect(await new AttemptLog(store, NAME).read('token')).toBeUndefined();
    }
  });

  it('loses none of many writers that write at once', async () => {
    const store = FileStore.inMemory();
    const kinds = ['token', 'approval', 'connect'] as const;
    await Promise.all(kinds.map((kind, at) => new AttemptLog(store, NAME).write(kind, { at })));
    expect(JSON.parse((await store.read(NAME)) ?? '')).toEqual({
      token: { at: 0 },
      approval: { at: 1 },
      connect: { at: 2 },
    });
  });
});
