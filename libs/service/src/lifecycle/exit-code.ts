import { MarketDataError } from '@aipx/market-model';

export const EXIT_CODES = { clean: 0, fault: 1, wrongUsage: 2, noVenueLeft: 4 } as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** The exit code of a service that an error ended. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof MarketDataError)) return EXIT_CODES.fault;
  if (error.code === 'CONNECTION_NO_VENUE_LEFT') return EXIT_CODES.noVenueLeft;
  return error.code.startsWith('CONFIG_') ? EXIT_CODES.wrongUsage : EXIT_CODES.fault;
}
