import type { Stretch, VenueDriver } from '@aipx/venue';

const LATE = 300_000_000_000n;

/**
 * A venue that sends in these stretches, in order, and for five minutes behind each what comes late. What it did before the first
 * is not known.
 */
export function hoursOf(
  sessions: readonly Stretch[],
): Required<Pick<VenueDriver, 'isDataExpected' | 'dataExpectedFrom' | 'mayHaveSent'>> {
  const possible = sessions.map(({ from, to }) => ({ from, to: to + LATE }));
  return {
    isDataExpected: (at) => sessions.some(({ from, to }) => from <= at && at < to),
    dataExpectedFrom: (at) => sessions.find(({ from }) => from > at)?.from,
    mayHaveSent: (stretch) => {
      const parts = possible.filter(({ from, to }) => to > stretch.from && from <= stretch.to);
      const [first, last] = [parts[0], parts.at(-1)];
      if (first === undefined || last === undefined) return undefined;
      const isKnown = first !== possible[0] && first.from > stretch.from;
      return { from: isKnown ? first.from : stretch.from, to: last.to < stretch.to ? last.to : stretch.to };
    },
  };
}

/** Such hours of each of so many days since the epoch. */
export function dailyHours(opens: bigint, closes: bigint, days: readonly bigint[]): ReturnType<typeof hoursOf> {
  const HOUR = 3_600_000_000_000n;
  return hoursOf(days.map((day) => ({ from: (day * 24n + opens) * HOUR, to: (day * 24n + closes) * HOUR })));
}
