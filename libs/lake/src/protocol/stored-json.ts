import type { OffsetRange } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';

type JsonValue = string | number | bigint | null | readonly JsonValue[] | { readonly [field: string]: JsonValue };

/** Fields of a stored JSON object, each read as the one type it must have. Offsets are decimal text: JSON numbers end at 2^53. */
export class StoredJson {
  readonly #key: string;
  readonly #bytes: Uint8Array;
  readonly #fields: Readonly<Record<string, unknown>>;

  private constructor(key: string, bytes: Uint8Array, fields: Readonly<Record<string, unknown>>) {
    this.#key = key;
    this.#bytes = bytes;
    this.#fields = fields;
  }

  static write(value: JsonValue): Uint8Array {
    const text = JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? field.toString() : field));
    return new TextEncoder().encode(`${text}\n`);
  }

  /** @throws {MarketDataError} `STORE_DAMAGED` when it is not an object of the format */
  static read(key: string, bytes: Uint8Array, format: string): StoredJson {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (cause) {
      throw damaged(key, `is not JSON: ${(cause as Error).message}`, cause);
    }
    if (!isObject(value)) throw damaged(key, 'is not a JSON object');
    const json = new StoredJson(key, bytes, value);
    json.expect(value['format'] === format, 'format', JSON.stringify(format));
    return json;
  }

  text(field: string): string {
    const value = this.#fields[field];
    return typeof value === 'string' && value !== '' ? value : this.#refuse(field, 'text');
  }

  count(field: string): number {
    const value = this.#fields[field];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
      ? value
      : this.#refuse(field, 'a count');
  }

  offset(field: string): bigint {
    return asOffset(this.#fields[field]) ?? this.#refuse(field, 'an offset as decimal text');
  }

  hash(field: string): string {
    const value = this.#fields[field];
    return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : this.#refuse(field, 'a SHA-256 in hex');
  }

  hour(field: string): string {
    const value = this.#fields[field];
    return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}$/.test(value)
      ? value
      : this.#refuse(field, 'an hour such as 2024-05-01T13');
  }

  has(field: string): boolean {
    return field in this.#fields;
  }

  isNull(field: string): boolean {
    return this.#fields[field] === null;
  }

  ranges(field: string): OffsetRange[] {
    return this.#list(field).map((pair) => {
      const [begin, end, ...more] = (Array.isArray(pair) ? pair : []).map(asOffset);
      if (begin === undefined || end === undefined || more.length > 0) return this.#refuse(field, 'pairs of offsets');
      return { begin, end };
    });
  }

  objects(field: string): StoredJson[] {
    return this.#list(field).map((value) =>
      isObject(value) ? new StoredJson(this.#key, this.#bytes, value) : this.#refuse(field, 'objects'),
    );
  }

  expect(holds: boolean, field: string, expected: string): void {
    if (!holds) this.#refuse(field, expected);
  }

  /** Written again, the object must be the same bytes: nothing unknown is in it, and equal objects compare as bytes. */
  expectSpelling(bytes: Uint8Array): void {
    if (Buffer.compare(bytes, this.#bytes) !== 0) throw damaged(this.#key, 'has fields or a spelling of its own');
  }

  #list(field: string): readonly unknown[] {
    const value = this.#fields[field];
    return Array.isArray(value) ? value : this.#refuse(field, 'a list');
  }

  #refuse(field: string, expected: string): never {
    const found = JSON.stringify(this.#fields[field])?.slice(0, 80) ?? 'absent';
    throw damaged(this.#key, `has ${field} ${found}; expected ${expected}`);
  }
}

export function damaged(key: string, what: string, cause?: unknown): MarketDataError {
  return new MarketDataError(
    'STORE_DAMAGED',
    `${key} ${what}. Nothing of the lake was changed; restore the object from a copy`,
    { context: { key }, cause },
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asOffset(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^(0|[1-9]\d{0,18})$/.test(value) ? BigInt(value) : undefined;
}
