/** More are not written down, and then nobody compares: no session takes as many streams. */
const MOST_NAMES = 100;

/**
 * What a holder writes into its lease, the same again and again: who it is, and what it takes by this key, so that whoever waits for
 * the key sees whether its own streams are taken meanwhile.
 */
export function leaseText(holder: string, takes: readonly string[] | undefined): string {
  const isTold = takes !== undefined && takes.length <= MOST_NAMES;
  return JSON.stringify({ holder, ...(isTold && { takes }) });
}

/** What the holder of a lease takes by its key; `undefined` where it does not tell. */
export function takenBy(text = ''): readonly string[] | undefined {
  try {
    const { takes } = JSON.parse(text) as { readonly takes?: unknown };
    return Array.isArray(takes) ? takes.filter((name) => typeof name === 'string') : undefined;
  } catch {
    return undefined; // of a version that wrote its name only
  }
}
