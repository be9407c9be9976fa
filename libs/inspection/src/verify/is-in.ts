import type { OffsetRange } from '@aipx/event-log';

export function isIn(ranges: readonly OffsetRange[], offset: bigint): boolean {
  return ranges.some(({ begin, end }) => begin <= offset && offset < end);
}
