import { kisKeyRule, kisTokenRule } from '@aipx/service';
import { kis as venue } from '@aipx/venue-kis';
import { venueOpening, type RegisteredVenue } from '../opening.js';
import { kisSegmentRule, kisSettings, simulatedKis } from './settings.js';

export const kis: RegisteredVenue = {
  ...venue,
  opening: venueOpening({
    settings: kisSettings,
    aliases: { silenceTimeout: ['KIS_HEARTBEAT_INTERVAL'] },
    apiAnswers: 'requests for tokens, for approval keys and for the holidays',
    otherApps: ['KIS_RATE_LIMIT'],
    rules: [kisTokenRule],
    rulesInUse: [kisKeyRule, kisSegmentRule],
    simulated: simulatedKis,
    // On demand: a process without KIS carries no client of Redis.
    open: async (own, context) => (await import('./open-kis.js')).openKis(own, context),
  }),
};
