import { describe, expect, it } from 'vitest';
import { venueById, venues } from './registry.js';

describe('the venue registry', () => {
  it('knows every venue by the id of its driver and of its simulator', async () => {
    expect(Object.keys(venues).length).toBeGreaterThan(0);
    for (const [id, venue] of Object.entries(venues)) {
      expect(venueById(id)).toBe(venue);
      expect(venue.driver.id).toBe(id);
      expect((await venue.loadSimulator()).id).toBe(id);
    }
  });

  it.each(['binance', 'UPBIT', '', 'toString', '__proto__', 'constructor'])(
    'refuses %j and names the venues there are',
    (id) => {
      expect(() => venueById(id)).toThrow(
        expect.objectContaining({
          code: 'CONFIG_UNKNOWN_VENUE',
          message: `unknown venue ${JSON.stringify(id)}; expected one of: ${Object.keys(venues).join(', ')}`,
        }),
      );
    },
  );
});
