import { describe, it } from 'vitest';
import type { Venue } from '../venue.js';
import { conformanceRules } from './rules.js';
import type { VenueSamples } from './samples.js';

/** Runs every rule of the contract on a venue; call it at the top of a test file. */
export function describeVenueConformance(venue: Venue, samples: VenueSamples): void {
  describe(`${venue.driver.id} keeps the venue contract`, () => {
    for (const rule of conformanceRules) it(rule.title, () => rule.check(venue, samples));
  });
}
