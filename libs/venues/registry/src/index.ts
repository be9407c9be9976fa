export { venueById, venues, type VenueId } from './registry.js';
