const UNIT_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** Bytes of `64KiB`, `1MiB`, `1.5GiB` or a plain number. NaN when the text is no size. */
export function byteSize(raw: string): number {
  const match = /^(\d+(?:\.\d+)?)\s?(B|KiB|MiB|GiB|TiB)?$/.exec(raw.trim());
  if (match === null) return Number.NaN;
  const bytes = Number(match[1]) * UNIT_BYTES[(match[2] ?? 'B') as keyof typeof UNIT_BYTES];
  return Number.isSafeInteger(bytes) ? bytes : Number.NaN;
}
