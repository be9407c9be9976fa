const MASK = '[redacted]';

/** What a key ends with whose value nobody may read: `password`, `KIS_API_SECRET`, `x-api-key`. */
const SECRET_WORD =
  '(?:password|passwd|passphrase|pwd|secret|token|authorization|cookie|credentials?|' +
  '(?:api|app|secret|approval|access|private)[^a-z"]?key)[^a-z"]*';
const SECRET_KEY = new RegExp(`${SECRET_WORD}$`, 'i');
const SECRET_KEY_IN_LINE = new RegExp(`${SECRET_WORD}":`, 'i');

/** Tokens are renewed for as long as the process lives. */
const MOST_VALUES = 1_000;

/** Keeps secrets out of log lines: whatever stands under a key that sounds like one, and every registered value. */
export class SecretMask {
  /** As they may stand in a text: as they are, and as part of an address. */
  readonly #spellings = new Set<string>();

  constructor(values: Iterable<string> = []) {
    for (const value of values) this.add(value);
  }

  /** From now on `value` is masked wherever it stands. The oldest go first when there are too many. */
  add(value: string): void {
    if (value === '') return;
    for (const spelling of [value, encodeURIComponent(value)]) {
      this.#spellings.delete(spelling);
      this.#spellings.add(spelling);
    }
    for (const oldest of this.#spellings) {
      if (this.#spellings.size <= MOST_VALUES) break;
      this.#spellings.delete(oldest);
    }
  }

  maskText(text: string): string {
    let masked = text;
    for (const spelling of this.#spellings) masked = masked.replaceAll(spelling, MASK);
    return masked;
  }

  /** A finished JSON line without its secrets. Most lines have none and are returned as they are. */
  maskLine(line: string): string {
    if (!this.#isSuspicious(line)) return line;
    try {
      const masked: unknown = JSON.parse(line, (key, value: unknown) => this.#masked(key, value));
      return `${JSON.stringify(masked)}\n`;
    } catch {
      // Somebody's raw JSON made the line unreadable: no reason to fail, nor to let a secret pass.
      return this.maskText(line);
    }
  }

  #isSuspicious(line: string): boolean {
    if (SECRET_KEY_IN_LINE.test(line)) return true;
    for (const spelling of this.#spellings) {
      if (line.includes(JSON.stringify(spelling).slice(1, -1))) return true;
    }
    return false;
  }

  #masked(key: string, value: unknown): unknown {
    if (value === null || value === '') return value;
    if (SECRET_KEY.test(key)) return MASK;
    if (typeof value === 'string') return this.maskText(value);
    return typeof value === 'number' && this.#spellings.has(String(value)) ? MASK : value;
  }
}
