import type { Logger } from '@aipx/service';
import type { OpenVenueStatus } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { WaitLog } from './wait-log.js';

const FAULT =
  'account "a" has no approval key: 127.0.0.1:9443 could not be reached (connect ECONNREFUSED 127.0.0.1:9443)';

/** What is told of a venue, second by second, as its status changes. */
function scene() {
  const told: string[] = [];
  const tell = (level: string) => (_: unknown, message: string) => void told.push(`${level} ${message}`);
  const logger = { info: tell('info'), warn: tell('warn') } as unknown as Logger;
  let now = 0;
  const log = new WaitLog(logger, () => now);
  const look = (status: OpenVenueStatus, seconds = 1): readonly string[] => {
    for (let second = 0; second < seconds; second += 1, now += 1_000) {
      log.look(new Map([['kis', { status: () => status }]]));
    }
    return told.splice(0);
  };
  return { look };
}

describe('the log of what a venue waits for', () => {
  it('tells once what it is, what it changes to, and that it is over', () => {
    const { look } = scene();
    expect(look({ waitsFor: [] }, 100)).toEqual([]);
    expect(look({ waitsFor: ['a key', 'another key'] }, 100)).toEqual(['info kis waits: a key; another key']);
    expect(look({ waitsFor: ['another key'] }, 100)).toEqual(['info kis waits: another key']);
    expect(look({ waitsFor: [] }, 100)).toEqual(['info kis waits no longer']);
  });

  it.each([['faults'], ['risks']])('warns of %s at once, then once a minute, and when they change', (kind) => {
    const { look } = scene();
    const status = (...texts: readonly string[]) => ({ waitsFor: [], [kind]: texts });
    expect(look(status(FAULT), 60)).toEqual([`warn kis: ${FAULT}`]);
    expect(look(status(FAULT), 60)).toEqual([`warn kis: ${FAULT}`]);
    expect(look(status(FAULT, 'another'), 60)).toEqual([`warn kis: ${FAULT}; another`]);
    expect(look({ waitsFor: [] }, 120)).toEqual([`info kis: no longer so: ${FAULT}; another`]);
  });
});
