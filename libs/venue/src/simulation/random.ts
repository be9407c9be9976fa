/** Numbers from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/**
 * A repeatable source of numbers (mulberry32). `salt` separates sources of one seed: two symbols of a market walk
 * differently, and each walks the same way in the next run.
 */
export function seededRandom(seed: number, salt = ''): Random {
  let state = (seed ^ textHash(salt)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** FNV-1a. */
function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
