import { MarketDataError } from '@aipx/market-model';
import { expect } from 'vitest';
import { loadSettings, type SettingsSources } from '../../src/index.js';
import { sampleSchema } from './sample-schema.js';
import { tempFolder } from './temp-folder.js';

/** What the sample schema cannot do without. */
export const MARKETS = { MARKETS: 'upbit:KRW-BTC' };

export interface Given {
  readonly flags?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
  readonly yaml?: string;
}

/** Loads from real files in a folder of its own. */
export async function load({ flags = {}, environment = {}, dotenv, yaml }: Given = {}) {
  using folder = tempFolder({
    ...(dotenv !== undefined && { '.env': dotenv }),
    ...(yaml !== undefined && { 'config.yaml': yaml }),
  });
  const sources: SettingsSources = {
    flags: new Map(Object.entries(flags)),
    environment,
    folder: folder.path,
    configFile: yaml === undefined ? undefined : 'config.yaml',
  };
  return await loadSettings(sampleSchema, sources);
}

/** The lines of the error, without its first. */
export async function faultsOf(given: Given): Promise<readonly string[]> {
  const error = await load(given).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof MarketDataError)) throw new Error('nothing was refused');
  expect(error.code).toBe('CONFIG_INVALID');
  return error.message.split('\n').slice(1);
}
