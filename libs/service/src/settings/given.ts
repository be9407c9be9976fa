import type { RawValue } from './value-types.js';

/** Where values come from, the stronger first. */
export const SOURCES = ['flag', 'environment', 'dotenv', 'yaml'] as const;
export type Source = (typeof SOURCES)[number];

/** A value as somebody gave it. */
export interface Given {
  /** The setting's environment name, or an alias of it. */
  readonly name: string;
  readonly raw: RawValue;
  readonly source: Source;
  /** For people: `flag --markets`, `environment`, `.env line 3`, `config.yaml line 8`. */
  readonly origin: string;
}

/** One thing that is wrong. As a line: `KAFKA_LINGER (environment): "5" is not a duration …`. */
export interface Fault {
  readonly name: string;
  readonly origin: string;
  readonly says: string;
}

/** What one source says. */
export interface SourceContents {
  readonly given: readonly Given[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

export function faultLine({ name, origin, says }: Fault): string {
  return `${name} (${origin}): ${says}`;
}

const LONGEST_SHOWN = 100;

/** A value in quotes, on one line, not too long. */
export function quoted(raw: RawValue): string {
  const text = typeof raw === 'string' ? raw : raw.join(',');
  return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
}

export function isEmpty(raw: RawValue): boolean {
  return typeof raw === 'string' && raw.trim() === '';
}
