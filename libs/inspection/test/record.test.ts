import { FolderObjectStore } from '@aipx/lake';
import { entryOf, tick } from '@aipx/market-proto/testing';
import { hotDatabase, testLog } from '@aipx/timescale/testing';
import { expect, it, vi } from 'vitest';
import { record } from '../src/testing/index.js';
import { changedLog } from './support/changed-log.js';
import { tempFolder } from './support/recorded.js';

it('ends both recorders when they do not come to an end in time', async () => {
  const log = await testLog();
  await log.append([entryOf(tick(1))]);
  const { address } = await hotDatabase();
  let consuming = 0;
  let consumed = 0;
  const watched = changedLog(log, {
    consume: async (...given) => {
      consuming += 1;
      consumed += 1;
      await log.consume(...given).finally(() => (consuming -= 1));
    },
  });
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort(new Error('too late')));
  try {
    await expect(record(watched, address, await FolderObjectStore.open(await tempFolder()))).rejects.toThrow(
      'too late',
    );
  } finally {
    timeout.mockRestore();
  }
  expect({ consumed, consuming }).toEqual({ consumed: 2, consuming: 0 });
});
