import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type * as yaml from 'yaml';
import type { Document, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import type { Fault, Given, SourceContents } from './given.js';
import { nearest } from './nearest.js';
import { namesOf, yamlPath, type PlacedSetting, type SettingsSchema } from './schema.js';
import type { RawValue } from './value-types.js';

const LARGEST_FILE = 1024 * 1024;

type Yaml = typeof yaml;

/** The YAML file of `--config`. Values are taken as they are spelled, so that they mean the same as elsewhere. */
export async function readYaml(schema: SettingsSchema, file: string, folder: string): Promise<SourceContents> {
  const content = contentOf(resolve(folder, file));
  if (typeof content !== 'string') {
    const fault = { name: file, origin: 'flag --config', says: content.problem };
    return { given: [], faults: [fault], warnings: [] };
  }
  // On demand: most deployments are configured by the environment alone.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    const faults = problems.map(({ pos: [at], message }) => {
      const { line, col } = lines.linePos(at);
      return { name: file, origin: `line ${line}, column ${col}`, says: message };
    });
    return { given: [], faults, warnings: [] };
  }
  return new TreeReader(schema, file, yaml, document, lines).read();
}

function contentOf(path: string): string | { readonly problem: string } {
  try {
    const { size } = statSync(path);
    if (size > LARGEST_FILE) return { problem: `is larger than 1 MiB (${size} bytes): that is no settings file` };
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { problem: `there is no such file (looked at ${path})` };
    return { problem: `cannot be read: ${code ?? String(cause)} (${path})` };
  }
}

/** Walks the tree of a sound document, two levels deep at most. */
class TreeReader {
  readonly #file: string;
  readonly #yaml: Yaml;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #groups: ReadonlySet<string>;
  /** By YAML path; aliases have one too. */
  readonly #names = new Map<string, string>();
  /** By name, those of other apps last. */
  readonly #paths = new Map<string, string>();
  readonly #pathsOfOthers: ReadonlySet<string>;
  readonly #given: Given[] = [];
  readonly #faults: Fault[] = [];

  constructor(schema: SettingsSchema, file: string, yaml: Yaml, document: Document, lines: LineCounter) {
    this.#file = file;
    this.#yaml = yaml;
    this.#document = document;
    this.#lines = lines;
    for (const place of schema.placed) this.#place(place);
    for (const [name, path] of schema.otherApps) this.#paths.set(name, path);
    this.#pathsOfOthers = new Set(schema.otherApps.values());
    this.#groups = new Set([...this.#paths.values()].filter((path) => path.includes('.')).map(groupOf));
  }

  #place({ setting, group }: PlacedSetting): void {
    for (const name of namesOf(setting)) {
      this.#names.set(yamlPath(name, group), name);
      this.#paths.set(name, yamlPath(name, group));
    }
  }

  read(): SourceContents {
    const root = this.#document.contents;
    if (this.#yaml.isMap(root)) this.#readMap(root, '');
    else if (root !== null && !isNull(this.#yaml, root)) {
      this.#fault(this.#file, root, 'expected settings by name, such as kafka: { linger: 5ms }');
    }
    return { given: this.#given, faults: this.#faults, warnings: [] };
  }

  #readMap(map: YAMLMap, parent: string): void {
    for (const pair of map.items) this.#readPair(pair as Pair<Node, Node | null>, parent);
  }

  #readPair({ key, value }: Pair<Node, Node | null>, parent: string): void {
    const node = this.#resolved(value);
    const path = `${parent}${this.#yaml.isScalar(key) ? String(key.value) : '?'}`;
    const name = this.#names.get(path);
    if (name !== undefined) this.#readValue(name, path, key, node);
    else if (this.#pathsOfOthers.has(path)) return;
    else if (parent !== '' || !this.#groups.has(path)) this.#fault(path, key, `no such setting${this.#proposal(path)}`);
    else if (this.#yaml.isMap(node)) this.#readMap(node, `${path}.`);
    else if (!isNull(this.#yaml, node))
      this.#fault(path, key, 'is a group: expected its settings, one a line, indented');
  }

  #readValue(name: string, path: string, key: Node, node: Node | null): void {
    const raw = this.#raw(node);
    if (raw === undefined) {
      this.#fault(path, key, 'expected a plain value, or a list of plain values where a list is right');
    } else {
      this.#given.push({ name, raw, source: 'yaml', origin: this.#origin(key) });
    }
  }

  #raw(node: Node | null): RawValue | undefined {
    if (isNull(this.#yaml, node)) return '';
    if (this.#yaml.isScalar(node)) return node.source ?? String(node.value);
    if (!this.#yaml.isSeq(node)) return undefined;
    const items = node.items.map((item) => this.#raw(this.#resolved(item as Node)));
    return items.every((item) => typeof item === 'string') ? items : undefined;
  }

  #resolved(node: Node | null): Node | null {
    return this.#yaml.isAlias(node) ? (node.resolve(this.#document) ?? node) : node;
  }

  #proposal(path: string): string {
    // Somebody copied the environment's name.
    const spelled = this.#paths.get(path.split('.').at(-1) ?? path);
    const last = path.split('.').at(-1);
    const known = [...this.#paths.values()];
    const elsewhere = known.find((each) => each.split('.').at(-1) === last);
    const proposal = spelled ?? elsewhere ?? nearest(path, [...known, ...this.#groups]);
    return proposal === undefined ? '' : `; did you mean ${proposal}?`;
  }

  #fault(name: string, node: Node, says: string): void {
    this.#faults.push({ name, origin: this.#origin(node), says });
  }

  #origin(node: Node): string {
    return `${this.#file} line ${this.#lines.linePos(node.range?.[0] ?? 0).line}`;
  }
}

function groupOf(path: string): string {
  return path.slice(0, path.indexOf('.'));
}

function isNull(yaml: Yaml, node: Node | null): boolean {
  return node === null || (yaml.isScalar(node) && node.value === null);
}
