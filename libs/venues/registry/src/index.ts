export { openSimulatedVenue, openVenue } from './open-venue.js';
export type { OwnValues, RegisteredVenue, VenueContext, VenueOpening } from './opening.js';
export { venueById, venues, type VenueId } from './registry.js';
