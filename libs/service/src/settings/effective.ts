import type { Setting } from './schema.js';
import type { RawValue } from './value-types.js';

export interface EffectiveValue {
  readonly setting: Setting;
  readonly raw: RawValue;
  readonly origin: string;
}

const MASK = '***';

/** What is in effect, in a form that may be shown: secrets are masked. */
export class EffectiveSettings {
  readonly #values: readonly EffectiveValue[];

  constructor(values: readonly EffectiveValue[]) {
    this.#values = values;
  }

  /** `environment`, `.env line 3`, `config.yaml line 8`, `flag --markets`, `default` or `not set`. */
  originOf(env: string): string | undefined {
    return this.#values.find(({ setting }) => setting.env === env)?.origin;
  }

  /** Value by environment name, for one log line. Without what is not set. */
  toJSON(): Record<string, string> {
    const set = this.#values.filter(({ origin }) => origin !== 'not set');
    return Object.fromEntries(set.map((value) => [value.setting.env, shown(value)]));
  }

  /** A table for people: name, value, origin. */
  toTable(): string {
    const rows = this.#values.map((value) => [value.setting.env, shown(value), value.origin] as const);
    const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
    const [first, second] = [width(0), width(1)];
    return rows.map(([env, value, origin]) => `${env.padEnd(first)}  ${value.padEnd(second)}  ${origin}\n`).join('');
  }
}

function shown({ setting, raw, origin }: EffectiveValue): string {
  if (origin === 'not set') return '';
  if (setting.secret) return MASK;
  const text = typeof raw === 'string' ? raw.trim() : raw.join(',');
  return setting.type.shown?.(text) ?? text;
}
