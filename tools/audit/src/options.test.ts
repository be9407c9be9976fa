import { expect, it } from 'vitest';
import { readOptions } from './options.ts';

const FRAMES = ['--frames', 'a.jsonl'];
const STORES = ['--database-url', 'postgresql://here', '--lake-dir', 'lake'];

it('reads the three forms', () => {
  expect(readOptions(FRAMES)).toEqual({ frames: 'a.jsonl', dataDir: undefined, stores: undefined });
  expect(readOptions([...FRAMES, '--data-dir', 'data'])).toMatchObject({ dataDir: 'data', stores: undefined });
  expect(readOptions([...FRAMES, ...STORES])).toMatchObject({
    dataDir: undefined,
    stores: { databaseUrl: 'postgresql://here', lakeDir: 'lake' },
  });
});

it.each([
  { of: 'no frames', args: [] },
  { of: 'an unknown flag', args: [...FRAMES, '--fast'] },
  { of: 'a flag without its value', args: ['--frames'] },
  { of: 'a word that belongs to no flag', args: [...FRAMES, 'b.jsonl'] },
  { of: 'one store without the other', args: [...FRAMES, ...STORES.slice(0, 2)] },
  { of: 'a folder for a run together with what runs already', args: [...FRAMES, ...STORES, '--data-dir', 'data'] },
])('refuses $of', ({ args }) => {
  expect(readOptions(args)).toBeUndefined();
});
