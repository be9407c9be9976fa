import { venueInputs, type VenueInput, type VenueInputSettings } from '@aipx/ingestion';
import { MarketDataError } from '@aipx/market-model';
import type { Logger } from '@aipx/service';
import type { OpenVenue, VenueMetric } from '@aipx/venue';
import { openVenue } from '@aipx/venue-registry';
import type { IngestionSettings, VenueSettings } from './settings.js';
import { WaitLog } from './wait-log.js';

export interface OpeningHooks {
  readonly logger: Logger;
  readonly keepSecret: (secret: string) => void;
  /** Something beside the connections failed and is tried again. */
  readonly onFault: (venue: string, error: MarketDataError) => void;
}

/** The venues that are asked for something, opened, and the connections to be made to them. */
export class OpenVenues {
  readonly inputs: readonly VenueInput[];
  readonly #open: ReadonlyMap<string, OpenVenue>;
  readonly #waitLog: WaitLog;
  #closed: Promise<unknown> | undefined;

  private constructor(open: ReadonlyMap<string, OpenVenue>, inputs: readonly VenueInput[], logger: Logger) {
    this.#open = open;
    this.inputs = inputs;
    this.#waitLog = new WaitLog(logger);
    this.#waitLog.start(open);
  }

  /**
   * Connects to nothing yet.
   *
   * @throws {MarketDataError} `CONFIG_*`, such as for keys that cannot be, or more streams than they carry
   */
  static async open(
    { markets, venues, redis }: Pick<IngestionSettings, 'markets' | 'venues' | 'redis'>,
    { logger, keepSecret, onFault }: OpeningHooks,
  ): Promise<OpenVenues> {
    const open = new Map<string, OpenVenue>();
    try {
      const inputs: VenueInput[] = [];
      for (const { venue, subscriptions } of markets) {
        const { id } = venue.driver;
        const settings = settingsOf(venues, id);
        const shared = { redis, keepSecret, onFault: (error: MarketDataError) => onFault(id, error) };
        const context = { ...settings, ...shared, subscriptions };
        const opened = await openVenue(id, settings.own, context);
        open.set(id, opened);
        for (const note of opened.notes) logger.info({ venue: id }, note);
        inputs.push(...venueInputs(opened, subscriptions, connectionsOf(settings)));
      }
      return new OpenVenues(open, inputs, logger);
    } catch (cause) {
      await closeAll(open);
      throw cause;
    }
  }

  get(id: string): OpenVenue | undefined {
    return this.#open.get(id);
  }

  get metrics(): readonly VenueMetric[] {
    return [...this.#open.values()].flatMap(({ metrics }) => metrics);
  }

  /** Gives back what is held. Once the connections are closed; again is harmless. */
  async close(): Promise<void> {
    this.#waitLog.stop();
    this.#closed ??= closeAll(this.#open);
    await this.#closed;
  }
}

function connectionsOf({ bookDepth, reconnect, keepAlive, silenceTimeoutMs }: VenueSettings): VenueInputSettings {
  return { bookDepth, reconnect, silenceTimeoutMs, ...(keepAlive && { keepAliveEveryMs: keepAlive.everyMs }) };
}

function settingsOf(venues: ReadonlyMap<string, VenueSettings>, id: string): VenueSettings {
  const settings = venues.get(id);
  if (settings === undefined) throw new MarketDataError('CONFIG_UNKNOWN_VENUE', `there are no settings of ${id}`);
  return settings;
}

function closeAll(open: ReadonlyMap<string, OpenVenue>): Promise<unknown> {
  return Promise.all([...open.values()].map((venue) => venue.close()));
}
