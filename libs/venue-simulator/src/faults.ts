import { MarketDataError } from '@aipx/market-model';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import type { Audience } from './audience.js';
import type { Delivery } from './delivery.js';

/** What can go wrong on request. */
export type Fault =
  /** Ends every connection: `close` with 1000 after what was sent, `reset` without a close frame at once. */
  | { readonly fault: 'cut'; readonly how: 'close' | 'reset' }
  /** The connections of this moment stay open, but nothing passes any more, either way; new ones work. What is sent counts. */
  | { readonly fault: 'half-open' }
  /** The next handshakes are never answered. */
  | { readonly fault: 'hang-handshakes'; readonly count: number }
  /** The next handshakes are answered with an HTTP status. */
  | { readonly fault: 'refuse-connections'; readonly count: number; readonly status: number }
  /** Handshakes beyond so many a second are answered with 429; 0 = no limit. */
  | { readonly fault: 'limit-connections'; readonly perSecond: number }
  /** Nothing is sent and no ping answered, while connections stay open. What the source had to send comes afterwards. */
  | { readonly fault: 'silence'; readonly on: boolean }
  /** A broken data frame to every client; counted as sent. `kind`: one of the venue's own ways to break it. */
  | { readonly fault: 'garbage'; readonly kind?: string }
  /** The venue's error message to every client, then its close. */
  | { readonly fault: 'refuse-clients' }
  /** A fault that only this venue has, in the venue's own words. */
  | { readonly fault: 'venue'; readonly own: Readonly<Record<string, unknown>> };

/** Cut off in the middle of a text, as a broken sender would; the message is no venue's. */
const BROKEN_FRAME = Buffer.from('{"broken":"fra', 'utf8');

/** What is to happen to a handshake: accepted, left unanswered, or answered with an HTTP status. */
export type Handshake = 'accept' | 'hang' | number;

/** Carries faults out. */
export class Faults {
  readonly #venue: SimulatedVenue;
  readonly #audience: Audience;
  readonly #delivery: Delivery;
  #hanging = 0;
  #refusing = { count: 0, status: 429 };
  #perSecond = 0;
  #recentHandshakes: number[] = [];

  constructor(venue: SimulatedVenue, audience: Audience, delivery: Delivery) {
    this.#venue = venue;
    this.#audience = audience;
    this.#delivery = delivery;
  }

  inject(fault: Fault): void {
    switch (fault.fault) {
      case 'cut':
        for (const client of this.#audience.clients) {
          if (fault.how === 'close') client.close(1000);
          else client.reset();
        }
        break;
      case 'half-open':
        for (const client of this.#audience.clients) client.loseTouch();
        break;
      case 'hang-handshakes':
        this.#hanging = fault.count;
        break;
      case 'refuse-connections':
        this.#refusing = { count: fault.count, status: fault.status };
        break;
      case 'limit-connections':
        this.#perSecond = fault.perSecond;
        break;
      case 'silence':
        this.#audience.keepSilent(fault.on);
        break;
      case 'garbage':
        this.#sendBroken(fault.kind);
        break;
      case 'refuse-clients':
        for (const client of this.#audience.clients) client.protocol.refuse();
        break;
      case 'venue':
        if (this.#venue.inject === undefined) {
          throw new MarketDataError('CONFIG_INVALID', `the simulated ${this.#venue.id} has no faults of its own`);
        }
        this.#venue.inject(fault.own);
        this.#audience.changed();
        break;
    }
  }

  #sendBroken(kind: string | undefined): void {
    const frame = this.#venue.brokenFrame?.(kind) ?? BROKEN_FRAME;
    for (const client of this.#audience.clients) {
      this.#delivery.hand(client, frame, { fault: 'garbage' });
      client.flush();
    }
  }

  handshake(): Handshake {
    if (this.#hanging > 0) {
      this.#hanging -= 1;
      return 'hang';
    }
    if (this.#refusing.count > 0) {
      this.#refusing.count -= 1;
      return this.#refusing.status;
    }
    return this.#overLimit() ? 429 : 'accept';
  }

  #overLimit(): boolean {
    if (this.#perSecond === 0) return false;
    const now = performance.now();
    this.#recentHandshakes = this.#recentHandshakes.filter((at) => now - at < 1000);
    if (this.#recentHandshakes.length >= this.#perSecond) return true;
    this.#recentHandshakes.push(now);
    return false;
  }
}

/**
 * A fault as the control endpoint takes it: the JSON form of `Fault`.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`, naming what is wrong
 */
export function parseFault(text: string): Fault {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new MarketDataError('CONFIG_INVALID', 'a fault is a JSON object such as {"fault":"cut","how":"reset"}', {
      cause,
    });
  }
  const fields = objectOf(parsed);
  const { fault } = fields;
  switch (fault) {
    case 'cut':
      return { fault, how: oneOf(fields, 'how', ['close', 'reset']) };
    case 'hang-handshakes':
      return { fault, count: whole(fields, 'count', 1) };
    case 'refuse-connections':
      return { fault, count: whole(fields, 'count', 1), status: whole(fields, 'status', 429) };
    case 'limit-connections':
      return { fault, perSecond: whole(fields, 'perSecond', 5) };
    case 'silence':
      return { fault, on: oneOf(fields, 'on', [true, false]) };
    case 'half-open':
    case 'refuse-clients':
      return { fault };
    case 'garbage':
      return { fault, ...(typeof fields['kind'] === 'string' && { kind: fields['kind'] }) };
    case 'venue':
      return { fault, own: objectOf(fields['own']) };
    default:
      throw new MarketDataError(
        'CONFIG_INVALID',
        `fault ${JSON.stringify(fault)} is not known; expected cut, half-open, hang-handshakes, ` +
          'refuse-connections, limit-connections, silence, garbage, refuse-clients or venue',
      );
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
}

function oneOf<T extends string | boolean>(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  allowed: readonly T[],
): T {
  const value = allowed.find((candidate) => candidate === fields[name]);
  if (value === undefined) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `fault field ${name} is ${JSON.stringify(fields[name])}; expected ${allowed.join(' or ')}`,
    );
  }
  return value;
}

function whole(fields: Readonly<Record<string, unknown>>, name: string, byDefault: number): number {
  const value = fields[name] ?? byDefault;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `fault field ${name} is ${JSON.stringify(value)}; expected a whole number, 0 or more`,
    );
  }
  return value;
}
