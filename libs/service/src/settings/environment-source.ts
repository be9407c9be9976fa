import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Fault, Given, Source, SourceContents } from './given.js';
import { editDistance, nearest } from './nearest.js';
import { namesOf, prefixOf, type SettingsSchema } from './schema.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export function readEnvironment(schema: SettingsSchema, environment: Environment): SourceContents {
  return readNames(schema, environment, 'environment', () => 'environment');
}

/** The file `.env` of a folder; none is as good as an empty one. */
export function readDotenv(schema: SettingsSchema, folder: string): SourceContents {
  let content: string;
  try {
    content = readFileSync(join(folder, '.env'), 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const fault: Fault = { name: '.env', origin: folder, says: `cannot be read: ${code}` };
    return { given: [], faults: code === 'ENOENT' ? [] : [fault], warnings: [] };
  }
  const values = parseEnv(content);
  const lineOf = lineFinder(content, values);
  return readNames(schema, values, 'dotenv', (name) => `.env line ${lineOf(name)}`);
}

function readNames(
  schema: SettingsSchema,
  environment: Environment,
  source: Source,
  originOf: (name: string) => string,
): SourceContents {
  const known = new Set(schema.placed.flatMap(({ setting }) => namesOf(setting)));
  const given: Given[] = [];
  const warnings: string[] = [];
  const looksMeant = meantFor(schema, known);
  for (const [name, raw] of Object.entries(environment)) {
    if (raw === undefined) continue;
    if (known.has(name)) {
      given.push({ name, raw, source, origin: originOf(name) });
    } else if (looksMeant(name)) {
      const proposal = nearest(name, known);
      const question = proposal === undefined ? '' : `; did you mean ${proposal}?`;
      warnings.push(`${name} (${originOf(name)}) is no setting of ${schema.app} and has no effect${question}`);
    }
  }
  return { given, faults: [], warnings };
}

/** Whether an unknown name was meant for this app: it has the prefix of a group, or is a slip of a known name. */
function meantFor(schema: SettingsSchema, known: ReadonlySet<string>): (name: string) => boolean {
  const groups = new Set(schema.placed.flatMap(({ group }) => (group === undefined ? [] : [prefixOf(group)])));
  return (name) => {
    if (schema.otherApps.has(name)) return false;
    if ([...groups].some((prefix) => name.startsWith(prefix))) return true;
    const slips = name.length < 9 ? 1 : 2;
    const near = [...known].filter((candidate) => Math.abs(candidate.length - name.length) <= slips);
    return name.length >= 5 && near.some((candidate) => editDistance(name, candidate) <= slips);
  };
}

/** Where a variable's last assignment stands; a look-alike line inside a quoted value does not yield its value. */
function lineFinder(content: string, values: Environment): (name: string) => number {
  const lines = content.split('\n');
  return (name) => {
    const assignment = new RegExp(`^\\s*(export\\s+)?${name}\\s*=`);
    const index = lines.findLastIndex(
      (line, at) => assignment.test(line) && parseEnv(lines.slice(at).join('\n'))[name] === values[name],
    );
    return index + 1;
  };
}
