import { describe, expect, it } from 'vitest';
import { BOOKS, ManualStore, NEVER, recorderOn, records, TICKS } from '../../test/support/manual-cold-store.js';
import { ColdRecorder } from './cold-recorder.js';
import type { ColdStore } from './cold-store.js';

describe('a cold recorder whose partition is to be handed back', () => {
  it.each([
    ['for the batch before to be stored', { batchRows: 2 }],
    ['for room', { maxBufferBytes: 30 }],
  ])('ends what onRecords waits for at once: %s', async (_, limits) => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, limits, [TICKS, BOOKS]);
    const handBack = new AbortController();
    const taking = async () => {
      await recorder.onRecords(TICKS, records(TICKS, 0, 2), handBack.signal);
      await recorder.onRecords(TICKS, records(TICKS, 2, 2), handBack.signal);
      await recorder.onRecords(TICKS, records(TICKS, 4, 2), handBack.signal);
    };
    const taken = expect(taking()).rejects.toThrow('the group rebalances');
    const write = await store.write(0);
    handBack.abort(new Error('the group rebalances'));
    await taken;
    expect(recorder.storedTo(TICKS)).toBe(0n);
    expect(recorder.failure.aborted).toBe(false);
    await recorder.onRevoked(TICKS);
    write.done();
    expect(store.writes).toHaveLength(1);
    await recorder.onRecords(BOOKS, records(BOOKS, 0, 1), NEVER);
  });

  it('gives up an assignment that waits for the store, and has nothing then', async () => {
    const isAsked = Promise.withResolvers<undefined>();
    const store: ColdStore = {
      open: (_, { signal }) => {
        isAsked.resolve(undefined);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('the request was cut off')));
        });
      },
    };
    const recorder = new ColdRecorder({ store, log: {} as never, signal: NEVER });
    const handBack = new AbortController();
    const assigning = recorder.onAssigned(TICKS, { begin: 0n, end: 9n }, undefined, handBack.signal);
    await isAsked.promise;
    handBack.abort(new Error('the group rebalances'));
    await expect(assigning).rejects.toThrow('the group rebalances');
    expect(recorder.storedTo(TICKS)).toBeUndefined();
    await expect(
      recorder.onAssigned(TICKS, { begin: 0n, end: 9n }, undefined, AbortSignal.abort(new Error('too late'))),
    ).rejects.toThrow('too late');
  });
});
