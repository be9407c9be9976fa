import { parseArgs } from 'node:util';

export const USAGE =
  'usage: npm run faults -- [--seed 1] [--kills 8] [--short] [--json FILE] [--keep FOLDER]\n' +
  '  --seed N     all random choices follow from it\n' +
  '  --kills N    SIGKILLs, shared out over the phases; the long run is --kills 200\n' +
  '  --short      half of the other faults, chosen by the seed\n' +
  '  --json FILE  the report as JSON\n' +
  '  --keep FOLDER  work there and leave everything: logs, log lines, rows, the lake\n';

export interface Options {
  readonly seed: number;
  readonly kills: number;
  readonly isShort: boolean;
  readonly jsonFile: string | undefined;
  readonly keepFolder: string | undefined;
}

/** @returns `undefined` for wrong usage */
export function readOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string', default: '1' },
        kills: { type: 'string', default: '8' },
        short: { type: 'boolean', default: false },
        json: { type: 'string' },
        keep: { type: 'string' },
      },
    });
    const [seed, kills] = [Number(values.seed), Number(values.kills)];
    if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(kills) || kills < 1) return undefined;
    return { seed, kills, isShort: values.short, jsonFile: values.json, keepFolder: values.keep };
  } catch {
    return undefined; // an unknown flag
  }
}
