const REDACTED = '[redacted]';
/** Shorter ones would be found in ordinary words. */
const SHORTEST = 4;
const LONGEST_EXCERPT = 100;

/** Keeps what must not be seen out of everything that is printed. */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** From now on this is a secret. */
  learn(secret: string): void {
    if (secret.length >= SHORTEST) this.#secrets.add(secret);
  }

  clean(text: string): string {
    // A longer one first: a shorter one may be a part of it.
    const secrets = [...this.#secrets].toSorted((a, b) => b.length - a.length);
    return secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, REDACTED), text);
  }
}

/**
 * The beginning of what came from KIS, on one line and in quotes, without anything that could be a key or a token, also one that
 * nobody has been told of: OPSP0011 is known to echo an approval key.
 */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const cleaned = line.replace(/[\w.+/=-]{16,}/g, REDACTED);
  return JSON.stringify(cleaned.length > LONGEST_EXCERPT ? `${cleaned.slice(0, LONGEST_EXCERPT)}…` : cleaned);
}
