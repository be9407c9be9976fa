import type { ValueType } from './value-types.js';

/** One setting, said once: loading, the YAML key, flags, `.env.example` and messages follow from it. */
export interface Setting<Value = unknown> {
  /** `KAFKA_LINGER`. */
  readonly env: string;
  readonly type: ValueType<Value>;
  /** What it is for, as a phrase that begins with a capital letter and ends without a full stop. */
  readonly describe: string;
  /** As the environment would spell it. Without it the value is `undefined` when nobody gives one. */
  readonly default?: string;
  /** There is no default, and without a value nothing starts. */
  readonly required?: true;
  /** Environment and `.env` only; its value is shown nowhere. */
  readonly secret?: true;
  /** As commander spells it: `--log-level <level>`; without a value for one that is true when it is given: `--migrate`. */
  readonly flag?: `--${string}`;
  /** Further environment names of the same setting. Two names set differently is an error. */
  readonly aliases?: readonly string[];
  /** A value for `.env.example` and messages, where there is no default. */
  readonly example?: string;
}

export type SettingsGroup = Readonly<Record<string, Setting>>;

/** The tree of the YAML file and of the loaded values: settings, and groups of settings. */
export type SettingsTree = Readonly<Record<string, Setting | SettingsGroup>>;

export type ValueOf<S> = S extends { readonly type: ValueType<infer Value> }
  ? S extends { readonly default: string } | { readonly required: true }
    ? Value
    : Value | undefined
  : never;

/** What loading yields: the tree with values in place of settings. */
export type SettingsOf<Tree> = {
  readonly [Key in keyof Tree]: Tree[Key] extends Setting
    ? ValueOf<Tree[Key]>
    : { readonly [Inner in keyof Tree[Key]]: ValueOf<Tree[Key][Inner]> };
};

/** What is wrong with values that are right one by one. */
export interface RuleFault {
  readonly setting: Setting;
  /** A sentence that names the value and what would be right. */
  readonly says: string;
}

/** A condition on several settings. It is asked only when each of them is right by itself. */
export interface Rule {
  readonly settings: readonly Setting[];
  readonly check: (values: readonly unknown[]) => readonly RuleFault[];
}

export function rule<const Settings extends readonly Setting[]>(
  settings: Settings,
  check: (...values: { -readonly [Index in keyof Settings]: ValueOf<Settings[Index]> }) => readonly RuleFault[],
): Rule {
  type Values = Parameters<typeof check>;
  return { settings, check: (values) => check(...(values as Values)) };
}

/** A setting and where it stands in the tree. */
export interface PlacedSetting {
  readonly setting: Setting;
  readonly group: string | undefined;
  readonly key: string;
}

export interface SettingsSchema<Tree extends SettingsTree = SettingsTree> {
  /** The app's name, for messages. */
  readonly app: string;
  readonly tree: Tree;
  readonly placed: readonly PlacedSetting[];
  readonly rules: readonly Rule[];
  /** What other apps read from the same `.env` or YAML file, YAML path by name: nothing is said about it. */
  readonly otherApps: ReadonlyMap<string, string>;
}

export interface SettingsDefinition<Tree extends SettingsTree> {
  readonly app: string;
  readonly tree: Tree;
  readonly rules?: readonly Rule[];
  /** Environment names of other apps' settings, by their group. */
  readonly otherApps?: Readonly<Record<string, readonly string[]>>;
}

/**
 * @throws {Error} for a schema that contradicts itself: a key that is not the one that follows from the environment's
 *   name, a name used twice, a secret with a flag or a default
 */
export function defineSettings<const Tree extends SettingsTree>(
  definition: SettingsDefinition<Tree>,
): SettingsSchema<Tree> {
  const { app, tree, rules = [], otherApps = {} } = definition;
  const placed = Object.entries(tree).flatMap(([key, node]): readonly PlacedSetting[] =>
    isSetting(node)
      ? [{ setting: node, group: undefined, key }]
      : Object.entries(node).map(([inner, setting]) => ({ setting, group: key, key: inner })),
  );
  const names = new Set<string>();
  for (const place of placed) {
    checkPlace(place);
    for (const name of namesOf(place.setting)) {
      if (names.has(name)) throw new Error(`${name} names two settings`);
      names.add(name);
    }
  }
  return { app, tree, placed, rules, otherApps: pathsByName(otherApps) };
}

function isSetting(node: Setting | SettingsGroup): node is Setting {
  return typeof node['env'] === 'string';
}

/** Its environment name first. */
export function namesOf(setting: Setting): readonly string[] {
  return [setting.env, ...(setting.aliases ?? [])];
}

/** The key in the YAML file: lower camel case of the environment's name without its group's prefix. */
function yamlKey(env: string, group: string | undefined): string {
  const prefix = group === undefined ? '' : prefixOf(group);
  const rest = env.startsWith(prefix) ? env.slice(prefix.length) : env;
  return rest.toLowerCase().replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** What the environment names of a group begin with: `KAFKA_` for `kafka`. */
export function prefixOf(group: string): string {
  return `${group.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_`;
}

/** `kafka.linger`. */
export function yamlPath(name: string, group: string | undefined): string {
  const key = yamlKey(name, group);
  return group === undefined ? key : `${group}.${key}`;
}

/** `--log-level` of `--log-level <level>`. A setting without a flag gets the one that its name would make. */
export function flagName({ env, flag }: Setting): string {
  return flag?.split(' ')[0] ?? `--${env.toLowerCase().replaceAll('_', '-')}`;
}

/** Whether giving the flag is all there is to say. */
function isBareFlag({ flag }: Setting): boolean {
  return flag !== undefined && !flag.includes(' ');
}

function pathsByName(groups: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(groups).flatMap(([group, names]) => names.map((name) => [name, yamlPath(name, group)] as const)),
  );
}

function checkPlace({ setting, group, key }: PlacedSetting): void {
  const right = yamlKey(setting.env, group);
  if (key !== right) throw new Error(`${setting.env} stands at ${key}, but its key is ${right}`);
  if (setting.secret && (setting.flag ?? setting.default ?? setting.example) !== undefined) {
    throw new Error(`${setting.env} is a secret: it can have no flag, default or example`);
  }
  if (isBareFlag(setting) && !setting.type.read('true').ok) {
    throw new Error(`${setting.env} has a flag without a value, which only true or false can have`);
  }
  if (setting.required && setting.default !== undefined) {
    throw new Error(`${setting.env} is required: a default would never be used`);
  }
}
