import type { MarketDataError } from '@aipx/market-model';
import type { RedisAddress, Rule, SettingsGroup, ValueOf } from '@aipx/service';
import type { OpenVenue, Subscription, Venue } from '@aipx/venue';

/** A venue as the registry lists it. */
export interface RegisteredVenue extends Venue {
  /** Absent where the settings that every venue has are all there is, and the driver is ready as it is. */
  readonly opening?: VenueOpening;
}

/** What a venue is told and given to be opened. */
export interface VenueContext {
  /** By the settings that every venue has; the driver's own where nobody says otherwise. */
  readonly websocketUrl: string;
  readonly apiUrl: string;
  /** All that this process is to record of it, for processes that wait until this one has ended. */
  readonly subscriptions?: readonly Subscription[];
  /** Shared with other processes. Absent: there is none. */
  readonly redis?: RedisAddress | undefined;
  /** Where processes of this machine find each other, private to the user. @default one in the system's folder of temporary files */
  readonly machineFolder?: string;
  /** Told of every secret that comes from elsewhere than the settings, so that no log shows it. */
  readonly keepSecret?: (secret: string) => void;
  /** Told of what failed beside the connections and is tried again. */
  readonly onFault?: (error: MarketDataError) => void;
}

/** Settings that only this venue has, and what is made of them. */
export interface VenueOpening {
  /** Of the group that is named as the venue, beside those that every venue has. */
  readonly settings: SettingsGroup;
  /** Further names of settings that every venue has, by their keys. */
  readonly aliases: { readonly silenceTimeout?: readonly string[] };
  /** What the API URL is for, where the venue has no list of codes there. */
  readonly apiAnswers?: string;
  /** Names of the same prefix that only other apps read. */
  readonly otherApps: readonly string[];
  readonly rules: readonly Rule[];
  /** Asked only when the venue is. */
  readonly rulesInUse: readonly Rule[];
  /** Values that open a simulated venue, which takes any key and never rests: with keys for so many connections. */
  simulated(connections: number): OwnValues;
  open(own: OwnValues, context: VenueContext): Promise<OpenVenue>;
}

/** By key of the group; others beside them have no effect. */
export type OwnValues = Readonly<Record<string, unknown>>;

type ValuesOf<Group extends SettingsGroup> = { readonly [Key in keyof Group]: ValueOf<Group[Key]> };

interface OpeningDefinition<Group extends SettingsGroup> extends Omit<VenueOpening, 'settings' | 'simulated' | 'open'> {
  readonly settings: Group;
  readonly simulated: (connections: number) => ValuesOf<Group>;
  readonly open: (own: ValuesOf<Group>, context: VenueContext) => Promise<OpenVenue>;
}

/** An opening whose functions take what its settings hold. */
export function venueOpening<const Group extends SettingsGroup>(definition: OpeningDefinition<Group>): VenueOpening {
  return { ...definition, open: (own, context) => definition.open(own as ValuesOf<Group>, context) };
}
