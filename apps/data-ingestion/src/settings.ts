import {
  defineSettings,
  redisAddress,
  redisRule,
  serviceGroup,
  serviceSettings,
  sharedRedis,
  type RedisAddress,
  type ServiceSettings,
  type SettingsOf,
} from '@aipx/service';
import { venues, type VenueId } from '@aipx/venue-registry';
import { bufferGroup, bufferRules, bufferSettings, type BufferSettings } from './settings/buffer.js';
import { KAFKA_OF_OTHER_APPS, kafkaGroup, kafkaSettings, type KafkaSettings } from './settings/kafka.js';
import { marketRules, marketSettings, venueMarkets, type VenueMarkets } from './settings/markets.js';
import { venueGroups, VENUES_OF_OTHER_APPS, venueRules, venueSettings, type VenueSettings } from './settings/venues.js';

export type { BufferSettings, KafkaSettings, VenueMarkets, VenueSettings };

const APP = 'data-ingestion';

/** Every setting of this app, and the tree of its YAML file. */
export const ingestionSchema = defineSettings({
  app: APP,
  tree: {
    ...marketSettings,
    service: serviceGroup(APP),
    kafka: kafkaGroup,
    buffer: bufferGroup,
    redis: sharedRedis,
    ...venueGroups,
  },
  rules: [...marketRules, ...bufferRules, redisRule, ...venueRules],
  otherApps: { kafka: KAFKA_OF_OTHER_APPS, ...VENUES_OF_OTHER_APPS },
});

/** What the composition root puts the service together from. */
export interface IngestionSettings {
  readonly service: ServiceSettings;
  /** Port of health and metrics; 0 takes any free one. */
  readonly http: { readonly port: number };
  /** What is collected, by venue; each venue once. */
  readonly markets: readonly VenueMarkets[];
  /** How each venue of the registry is connected, whether it is asked for anything or not. */
  readonly venues: ReadonlyMap<string, VenueSettings>;
  readonly buffer: BufferSettings;
  readonly kafka: KafkaSettings;
  /** Absent: there is none. */
  readonly redis: RedisAddress | undefined;
}

export function ingestionSettings(values: SettingsOf<typeof ingestionSchema.tree>): IngestionSettings {
  const { markets, venue, marketChannels, service, buffer, kafka, redis } = values;
  return {
    service: serviceSettings(service),
    http: { port: service.httpPort },
    markets: venueMarkets(markets, venue, marketChannels),
    venues: new Map((Object.keys(venues) as VenueId[]).map((id) => [id, venueSettings(id, values[id])])),
    buffer: bufferSettings(buffer),
    kafka: kafkaSettings(kafka),
    redis: redisAddress(redis),
  };
}
