import { parseArgs } from 'node:util';

export const USAGE = 'usage: npm run audit -- --frames FILE [--data-dir DIR | --database-url URL --lake-dir DIR]\n';

/** Paths as they were given. */
export interface Options {
  readonly frames: string;
  /** For a run of the product; a folder that goes away with it when absent. */
  readonly dataDir: string | undefined;
  /** What runs already and is audited as it is. */
  readonly stores: { readonly databaseUrl: string; readonly lakeDir: string } | undefined;
}

/** @returns `undefined` for wrong usage */
export function readOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        frames: { type: 'string' },
        'data-dir': { type: 'string' },
        'database-url': { type: 'string' },
        'lake-dir': { type: 'string' },
      },
    });
    const { frames, 'data-dir': dataDir, 'database-url': databaseUrl, 'lake-dir': lakeDir } = values;
    if (frames === undefined) return undefined;
    if (databaseUrl === undefined && lakeDir === undefined) return { frames, dataDir, stores: undefined };
    if (databaseUrl === undefined || lakeDir === undefined || dataDir !== undefined) return undefined;
    return { frames, dataDir, stores: { databaseUrl, lakeDir } };
  } catch {
    return undefined; // an unknown flag
  }
}
