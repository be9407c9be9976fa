import { isDeepStrictEqual } from 'node:util';
import { MarketDataError } from '@aipx/market-model';
import { readDotenv, readEnvironment, type Environment } from './environment-source.js';
import { faultLine, isEmpty, quoted, SOURCES, type Fault, type Given, type SourceContents } from './given.js';
import { EffectiveSettings, type EffectiveValue } from './effective.js';
import {
  flagName,
  namesOf,
  type PlacedSetting,
  type RuleFault,
  type Setting,
  type SettingsOf,
  type SettingsSchema,
  type SettingsTree,
} from './schema.js';
import { readYaml } from './yaml-source.js';

export interface SettingsSources {
  /** By environment name, as `parseCommandLine` reads them. @default none */
  readonly flags?: ReadonlyMap<string, string>;
  /** The YAML file of `--config`. @default none */
  readonly configFile?: string | undefined;
  /** @default the process's own */
  readonly environment?: Environment;
  /** Holds `.env`; a relative `configFile` is meant from here. @default the working folder */
  readonly folder?: string;
}

export interface LoadedSettings<Tree extends SettingsTree> {
  readonly values: SettingsOf<Tree>;
  /** Each setting with its value as text, secrets masked, and where it came from. */
  readonly effective: EffectiveSettings;
  /** Variables that look as if they were meant for this app and are not its settings. */
  readonly warnings: readonly string[];
  /** Every secret that was given, to be kept out of the logs. */
  readonly secrets: readonly string[];
}

/**
 * Settings from flags, environment, `.env`, YAML file and defaults, in this order.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` with every fault there is, one a line; no secret is in it
 */
export async function loadSettings<Tree extends SettingsTree>(
  schema: SettingsSchema<Tree>,
  sources: SettingsSources = {},
): Promise<LoadedSettings<Tree>> {
  const contents = await readSources(schema, sources);
  const loader = new Loader(contents.given);
  for (const place of schema.placed) loader.load(place);
  for (const { settings, check } of schema.rules) loader.obey(settings, check);
  const faults = [...contents.faults, ...loader.faults];
  if (faults.length > 0) throw settingsError(schema.app, faults, contents.warnings);
  return {
    values: treeOf(schema.placed, loader) as SettingsOf<Tree>,
    effective: new EffectiveSettings(loader.effective),
    warnings: contents.warnings,
    secrets: loader.secrets,
  };
}

async function readSources(schema: SettingsSchema, sources: SettingsSources): Promise<SourceContents> {
  const { flags = new Map<string, string>(), configFile, environment = process.env, folder = process.cwd() } = sources;
  const all = [
    readFlags(schema, flags),
    readEnvironment(schema, environment),
    readDotenv(schema, folder),
    ...(configFile === undefined ? [] : [await readYaml(schema, configFile, folder)]),
  ];
  return {
    given: all.flatMap(({ given }) => given),
    faults: all.flatMap(({ faults }) => faults),
    warnings: all.flatMap(({ warnings }) => warnings),
  };
}

function readFlags(schema: SettingsSchema, flags: ReadonlyMap<string, string>): SourceContents {
  const given = schema.placed.flatMap(({ setting }): readonly Given[] => {
    const raw = flags.get(setting.env);
    if (raw === undefined) return [];
    return [{ name: setting.env, raw, source: 'flag', origin: `flag ${flagName(setting)}` }];
  });
  return { given, faults: [], warnings: [] };
}

/** The warnings too: what was misspelled is often what is missing. */
function settingsError(app: string, faults: readonly Fault[], warnings: readonly string[]): MarketDataError {
  const lines = faults.map(faultLine);
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const message = [`${app} cannot start with these settings (${count}):`, ...lines, ...warnings].join('\n');
  return new MarketDataError('CONFIG_INVALID', message, { context: { faults: lines.join('\n') } });
}

function treeOf(placed: readonly PlacedSetting[], loader: Loader): Readonly<Record<string, unknown>> {
  const tree: Record<string, unknown> = {};
  for (const { setting, group, key } of placed) {
    const parent = group === undefined ? tree : ((tree[group] ??= {}) as Record<string, unknown>);
    parent[key] = loader.value(setting);
  }
  for (const node of Object.values(tree)) Object.freeze(node);
  return Object.freeze(tree);
}

interface Candidate extends Given {
  readonly value: unknown;
}

/** Checks every value that was given, also those that a stronger source hides, and picks the one that counts. */
class Loader {
  readonly faults: Fault[] = [];
  readonly effective: EffectiveValue[] = [];
  readonly secrets: string[] = [];
  readonly #given: readonly Given[];
  readonly #values = new Map<Setting, { readonly value: unknown; readonly origin: string }>();

  constructor(given: readonly Given[]) {
    this.#given = given.toSorted((a, b) => SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source));
  }

  value(setting: Setting): unknown {
    return this.#values.get(setting)?.value;
  }

  load({ setting }: PlacedSetting): void {
    const faultsBefore = this.faults.length;
    const names = namesOf(setting);
    const given = this.#given.filter((each) => names.includes(each.name) && !isUnset(setting, each));
    const candidates = given.flatMap((each) => this.#checked(setting, each));
    this.#refuseContradiction(candidates, setting);
    if (this.faults.length > faultsBefore) return;
    const chosen = candidates[0] ?? this.#fallback(setting);
    if (chosen === undefined) return;
    this.#values.set(setting, { value: chosen.value, origin: chosen.origin });
    this.effective.push({ setting, raw: chosen.raw, origin: chosen.origin });
  }

  /** Asks a rule, if its settings are right one by one. */
  obey(settings: readonly Setting[], check: (values: readonly unknown[]) => readonly RuleFault[]): void {
    const loaded = settings.map((setting) => this.#values.get(setting));
    if (loaded.includes(undefined)) return;
    for (const { setting, says } of check(loaded.map((each) => each?.value))) {
      this.faults.push({ name: setting.env, origin: this.#values.get(setting)?.origin ?? 'not set', says });
    }
  }

  #checked(setting: Setting, given: Given): readonly Candidate[] {
    const { name, raw, source, origin } = given;
    if (setting.secret) {
      if (typeof raw === 'string') this.secrets.push(raw);
      const problem = secretProblem(given);
      if (problem !== undefined) {
        this.faults.push({ name, origin, says: problem });
        return [];
      }
    }
    const reading = setting.type.read(raw);
    if (reading.ok) return [{ name, raw, source, origin, value: reading.value }];
    this.faults.push({ name, origin, says: wrongValue(setting, raw, reading.item) });
    return [];
  }

  /** Whoever sets two names of one setting differently would be surprised by either value. */
  #refuseContradiction(candidates: readonly Candidate[], setting: Setting): void {
    const [first] = candidates;
    const other = candidates.find(({ name }) => name !== first?.name);
    const ofFirstName = candidates.find(({ name }) => name === first?.name);
    if (other === undefined || ofFirstName === undefined || isDeepStrictEqual(other.value, ofFirstName.value)) return;
    const shown = (given: Given) => (setting.secret ? 'another value' : quoted(shownText(setting, given.raw)));
    this.faults.push({
      name: other.name,
      origin: other.origin,
      says: `${shown(other)} contradicts ${ofFirstName.name} (${ofFirstName.origin}), which is ${shown(ofFirstName)}; both name the same setting, so give one of them`,
    });
  }

  #fallback(setting: Setting): { readonly raw: string; readonly origin: string; readonly value: unknown } | undefined {
    if (setting.required) {
      const sample =
        setting.example === undefined ? `; give ${setting.env}` : `; for example ${setting.env}=${setting.example}`;
      const flag = setting.flag === undefined ? '' : ` or the flag ${flagName(setting)}`;
      this.faults.push({
        name: setting.env,
        origin: 'not set',
        says: `expected ${setting.type.expected}${sample}${flag}`,
      });
      return undefined;
    }
    if (setting.default === undefined) return { raw: '', origin: 'not set', value: undefined };
    const reading = setting.type.read(setting.default);
    if (reading.ok) return { raw: setting.default, origin: 'default', value: reading.value };
    this.faults.push({
      name: setting.env,
      origin: 'default',
      says: wrongValue(setting, setting.default, reading.item),
    });
    return undefined;
  }
}

/** Empty counts as unset, except where it is a stated choice. A flag is never given by accident. */
function isUnset({ type }: Setting, { raw, source }: Given): boolean {
  return source !== 'flag' && type.emptyMeans === undefined && isEmpty(raw);
}

/** Shorter ones would turn up in every other word of a log, and could not be kept out of it. */
const SHORTEST_SECRET = 4;

function secretProblem({ raw, source }: Given): string | undefined {
  if (source === 'yaml' || source === 'flag') {
    const why = source === 'yaml' ? 'a settings file is read by many' : 'flags show in the list of processes';
    return `is a secret, and ${why}: give it in the environment or in .env`;
  }
  if (raw.length < SHORTEST_SECRET)
    return `a secret has at least ${SHORTEST_SECRET} characters (its value is not shown)`;
  return undefined;
}

function wrongValue(setting: Setting, raw: Given['raw'], item: string | undefined): string {
  const { secret, type } = setting;
  const shown = secret ? 'the value (a secret, so not shown)' : quoted(shownText(setting, raw));
  if (item === undefined || secret) return `${shown} is not ${type.expected}`;
  return `${quoted(item)} in ${shown} is wrong: expected ${type.expected}`;
}

function shownText({ type }: Setting, raw: Given['raw']): string {
  const text = typeof raw === 'string' ? raw : raw.join(',');
  return type.shown?.(text) ?? text;
}
