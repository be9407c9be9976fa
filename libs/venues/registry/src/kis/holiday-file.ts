import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { parseTradingDays, type SpecialDays } from '@aipx/venue-kis';

/** What KIS said of its holidays, and when it was asked last, whether it answered or not. */
export interface KnownHolidays {
  /** Ms since the epoch; absent when it never was. */
  readonly askedAt: number | undefined;
  readonly days: SpecialDays;
}

/** The answers of the holiday call, kept on the disk in the form of a calendar file. Holds nothing secret. */
export class HolidayFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {MarketDataError} `STORE_DAMAGED` for a file that cannot be read; none at all is nothing known */
  async read(): Promise<KnownHolidays> {
    try {
      const text = await readFile(this.#path, 'utf8');
      const { askedAt } = JSON.parse(text) as { readonly askedAt?: unknown };
      const millis = typeof askedAt === 'string' ? Date.parse(askedAt) : Number.NaN;
      return { askedAt: Number.isNaN(millis) ? undefined : millis, days: parseTradingDays(text) };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { askedAt: undefined, days: new Map() };
      const { message } = asMarketDataError(cause, 'STORE_DAMAGED');
      throw new MarketDataError('STORE_DAMAGED', `the kept holidays ${this.#path} cannot be read: ${message}`, {
        cause,
      });
    }
  }

  /**
   * A reader finds the file before or the file after, never half of one.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE` when the disk does not take it
   */
  async write({ askedAt, days }: KnownHolidays): Promise<void> {
    const entries = [...days].map(([date, day]) => ({ date: withDashes(date), open: day !== undefined }));
    const content = {
      ...(askedAt !== undefined && { askedAt: new Date(askedAt).toISOString() }),
      days: entries,
    };
    // Two processes may keep the same file.
    const draft = `${this.#path}.${process.pid}.new`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const file = await open(draft, 'w');
      try {
        await file.writeFile(`${JSON.stringify(content)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.#path);
    } catch (cause) {
      const { message } = asMarketDataError(cause, 'STORE_UNAVAILABLE');
      throw new MarketDataError('STORE_UNAVAILABLE', `holidays cannot be kept in ${this.#path}: ${message}`, {
        cause,
        retryable: true,
      });
    }
  }
}

function withDashes(date: string): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}
