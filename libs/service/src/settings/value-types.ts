import { durationMs } from '../duration.js';
import { byteSize } from './byte-size.js';

/** A value as its source spells it: one text, or the items of a YAML list. */
export type RawValue = string | readonly string[];

export type Reading<Value> =
  | { readonly ok: true; readonly value: Value }
  /** `item`: the item of a list that is wrong. */
  | { readonly ok: false; readonly item?: string };

/** What a setting may hold. The same text means the same in every source. */
export interface ValueType<Value> {
  /** What is right, to stand behind "is not": `a duration from 1ms to 10s`. */
  readonly expected: string;
  /** Stated where an empty text is a choice of its own; elsewhere it counts as unset. */
  readonly emptyMeans?: string;
  read(raw: RawValue): Reading<Value>;
  /** The value without what may be secret in it. Absent: there is nothing of the kind. */
  shown?(text: string): string;
}

const WRONG = { ok: false } as const;
const LONGEST_TEXT = 1_000;

/** @param parse gives the value of a text without spaces at its ends, or `undefined` when it is wrong */
function single<Value>(expected: string, parse: (text: string) => Value | undefined): ValueType<Value> {
  return {
    expected,
    read: (raw) => {
      if (typeof raw !== 'string' || raw.length > LONGEST_TEXT) return WRONG;
      const value = parse(raw.trim());
      return value === undefined ? WRONG : { ok: true, value };
    },
  };
}

/** `matches` and the phrase that says it: `a client id of letters, digits, dots, hyphens and underscores`. */
export function text(expected = 'a text', matches = /./): ValueType<string> {
  return single(expected, (raw) => (matches.test(raw) ? raw : undefined));
}

/** A text that is taken as it is, spaces at its ends included. */
export function secretText(): ValueType<string> {
  const isText = (raw: RawValue) => typeof raw === 'string' && raw !== '' && raw.length <= LONGEST_TEXT;
  return { expected: 'a text', read: (raw) => (isText(raw) ? { ok: true, value: raw as string } : WRONG) };
}

export function choice<const Choices extends readonly [string, ...string[]]>(
  ...choices: Choices
): ValueType<Choices[number]> {
  return single(`one of ${choices.join(', ')}`, (raw) => choices.find((each) => each === raw));
}

export interface IntegerBounds {
  readonly min: number;
  readonly max: number;
  /** What 0 stands for, where it means something of its own: `endless`. */
  readonly zero?: string;
}

export function integer({ min, max, zero }: IntegerBounds): ValueType<number> {
  return single(`a whole number from ${min} to ${max}${zeroNote(zero)}`, (raw) =>
    within(wholeNumber(raw), min, max, zero !== undefined),
  );
}

/** One of a few numbers, such as the depths that a venue offers. */
export function integerChoice(choices: readonly number[]): ValueType<number> {
  return single(`one of ${choices.join(', ')}`, (raw) => choices.find((each) => each === wholeNumber(raw)));
}

/** A TCP port; 0 takes any free one. */
export function port(): ValueType<number> {
  return integer({ min: 1, max: 65_535, zero: 'any free one' });
}

export function boolean(): ValueType<boolean> {
  return single('true or false', (raw) => (raw === 'true' ? true : raw === 'false' ? false : undefined));
}

export interface DurationBounds {
  readonly min: string;
  /** Inclusive. */
  readonly max?: string;
  /** Exclusive, instead of `max`. */
  readonly below?: string;
  /** What 0 stands for, where it means something of its own: `none`. */
  readonly zero?: string;
}

const LONGEST_TIMER = '596h';

/** Milliseconds. At most what a timer can wait: a longer one fires at once. */
export function duration({ min, max = LONGEST_TIMER, below, zero }: DurationBounds): ValueType<number> {
  const most = below === undefined ? durationMs(max) : durationMs(below) - 1;
  const range = below === undefined ? `from ${min} to ${max}` : `from ${min} to below ${below}`;
  return single(`a duration ${range} (units: ms, s, m, h)${zeroNote(zero)}`, (raw) =>
    within(durationMs(raw), durationMs(min), most, zero !== undefined),
  );
}

export interface ByteBounds {
  readonly min: string;
  readonly max: string;
}

/** Bytes, as a number. */
export function bytes({ min, max }: ByteBounds): ValueType<number> {
  return single(`a size from ${min} to ${max} (units: B, KiB, MiB, GiB, TiB)`, (raw) =>
    within(byteSize(raw), byteSize(min), byteSize(max)),
  );
}

/** Comma-separated text or a YAML list, of at least one item. */
export function list<Item>(item: ValueType<Item>): ValueType<readonly Item[]> {
  return {
    expected: `a comma-separated list, each item ${item.expected}`,
    read: (raw) => {
      const values: Item[] = [];
      for (const text of typeof raw === 'string' ? splitItems(raw) : raw) {
        const reading = item.read(text);
        if (!reading.ok) return { ok: false, item: text };
        values.push(reading.value);
      }
      return values.length === 0 ? WRONG : { ok: true, value: values };
    },
  };
}

/** An address with one of the schemes, without user and password: those are secrets and belong elsewhere. */
export function url(...schemes: readonly string[]): ValueType<string> {
  const starts = schemes.map((scheme) => `${scheme}://`);
  const isRight = (raw: string) => {
    const parsed = URL.parse(raw);
    if (parsed === null || !starts.some((start) => raw.toLowerCase().startsWith(start))) return false;
    return parsed.username === '' && parsed.password === '' && parsed.hash === '';
  };
  return {
    ...single(`an address that begins with ${starts.join(' or ')}, without user and password`, (raw) =>
      isRight(raw) ? raw : undefined,
    ),
    shown: (address) => address.replace(/\/\/[^/]*@/, '//***@').replace(/\?.*$/, '?***'),
  };
}

/** `host:port`, an IPv6 host in brackets. */
export function address(example: string): ValueType<string> {
  return text(
    `an address such as ${example}`,
    /^(\[[\da-fA-F:]+\]|[\w.-]+):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/,
  );
}

/** A path; a relative one is meant from the working folder. */
export function path(): ValueType<string> {
  // A NUL byte is what no file system takes.
  return text('a path', /^[^\0]+$/);
}

/** The same, or an empty text, which is `undefined` and stands for `meaning`. */
export function orEmpty<Value>(meaning: string, type: ValueType<Value>): ValueType<Value | undefined> {
  return {
    ...type,
    expected: `${type.expected}, or empty for ${meaning}`,
    emptyMeans: meaning,
    read: (raw) => (typeof raw === 'string' && raw.trim() === '' ? { ok: true, value: undefined } : type.read(raw)),
  };
}

/** NaN is within no bounds. */
function within(value: number, min: number, max: number, orZero = false): number | undefined {
  return (value >= min && value <= max) || (orZero && value === 0) ? value : undefined;
}

function wholeNumber(raw: string): number {
  return /^-?\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN;
}

function splitItems(raw: string): string[] {
  return raw
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function zeroNote(zero: string | undefined): string {
  return zero === undefined ? '' : `, or 0 for ${zero}`;
}
