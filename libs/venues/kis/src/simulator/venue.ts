import { MarketDataError } from '@aipx/market-model';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import { Behaviour } from './behaviour.js';
import { brokenFrame } from './broken-frames.js';
import { SimulatedClock } from './clock.js';
import { KisConnection } from './connection.js';
import type { Exchange } from './exchange.js';
import { spansOf, usualHalts } from './halts.js';
import { Keys, type KeyUsage } from './keys.js';
import { KisMarket } from './market.js';
import { isData, symbolsIn } from './recorded.js';
import { answerRest } from './rest.js';
import { Sessions } from './sessions.js';
import type { KisSimulatorSettings } from './settings.js';
import { STOCKS } from './stocks.js';

/** KIS as a simulated venue, and what a test may ask of it. One for each host: its keys, sessions and clock are its own. */
export interface KisSimulator extends SimulatedVenue {
  /** Simulated time, ms since the epoch. */
  readonly now: number;
  /** What an appkey has asked for so far. */
  usage(appkey: string): KeyUsage;
}

/** The longest delay of a timer: the venue never cuts a client for its silence alone. */
const NEVER_MS = 2 ** 31 - 1;

/** Written from the fact sheet of the venue alone, never from our driver. Its clock begins with this call. */
export function createKisSimulator(settings: KisSimulatorSettings = {}): KisSimulator {
  const exchange = exchangeOf(settings);
  const { clock, keys } = exchange;
  return {
    id: 'kis',
    symbols: STOCKS.map(({ code }) => code),
    defaultSymbols: ['005930', '000660', '005380', '035420', '066570', '247540'],
    websocketPath: '/tryitout',
    apiPath: '',
    acceptsPath: (path) => path === '/' || path.startsWith('/tryitout/'),
    frameType: 'text',
    apiMethods: ['GET', 'POST'],
    idleLimitMs: NEVER_MS,
    accept: (client, listed) => new KisConnection(client, listed, exchange),
    rest: (request) => answerRest(request, exchange),
    market: (options) => new KisMarket(exchange, options),
    isData,
    symbolsIn,
    inject: (fault) => {
      inject(exchange, fault);
    },
    brokenFrame,
    usage: (appkey) => keys.usage(appkey),
    get now() {
      return clock.now;
    },
  };
}

function exchangeOf(settings: KisSimulatorSettings): Exchange {
  const { day, wall = Date.now, accounts, newApprovalRevokesOld = false } = settings;
  const clock = new SimulatedClock(wall, day);
  const behaviour = new Behaviour(settings);
  const halts = settings.halts ?? (day === undefined ? [] : usualHalts(STOCKS.map(({ code }) => code)));
  const spans = new Map(STOCKS.map(({ code }) => [code, spansOf(halts, code)]));
  return {
    settings,
    clock,
    hours: day === undefined ? 'always' : 'exchange',
    behaviour,
    keys: new Keys({ clock, behaviour, accounts, newApprovalRevokesOld }),
    sessions: new Sessions(wall),
    haltsOf: (code) => spans.get(code) ?? [],
  };
}

/** @throws {MarketDataError} `CONFIG_INVALID`, naming what is wrong */
function inject({ keys, behaviour }: Exchange, fault: Readonly<Record<string, unknown>>): void {
  switch (fault['name']) {
    case 'expire-tokens':
      keys.endTokens('expired');
      return;
    case 'revoke-tokens':
      keys.endTokens('revoked');
      return;
    case 'reject-approval-keys':
      keys.rejectApprovalKeys();
      return;
    default:
      if (behaviour.change(fault)) return;
      throw new MarketDataError(
        'CONFIG_INVALID',
        `KIS has no fault ${JSON.stringify(fault['name'])}; the README of its simulator lists them`,
      );
  }
}
