import { upbitSimulator } from '@aipx/venue-upbit/simulator';
import type { Findings } from './findings.ts';
import type { Lane, LaneOptions, Stage } from './stage.ts';
import type { Rules } from './verdict.ts';

/** Faults to be made, around a service that listens to a market. */
export interface Scenario {
  readonly name: ScenarioName;
  readonly lanes: readonly LaneOptions[];
  readonly rules: Rules;
  play(stage: Stage, findings: Findings): Promise<void>;
}

export const SCENARIO_NAMES = ['cuts', 'broker', 'away', 'sigterm', 'sigkill', 'markets', 'rate'] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** What the short form runs unless it is asked for others. */
export const SHORT_NAMES = SCENARIO_NAMES.filter((name) => name !== 'markets' && name !== 'rate');

/** How much of each fault is made; times in ms. */
export interface Extent {
  /** Of each of the five kinds. */
  readonly cuts: number;
  readonly brokerRestarts: number;
  readonly awayMs: number;
  /** Load before each signal to the service. */
  readonly beforeSignalMs: number;
  readonly marketsMs: number;
  readonly rateMs: number;
}

export const LONG: Extent = {
  cuts: 20,
  brokerRestarts: 5,
  awayMs: 60_000,
  beforeSignalMs: 10_000,
  marketsMs: 60_000,
  rateMs: 60_000,
};
export const SHORT: Extent = {
  cuts: 10,
  brokerRestarts: 1,
  awayMs: 10_000,
  beforeSignalMs: 2_000,
  marketsMs: 5_000,
  rateMs: 5_000,
};

/** All Upbit pairs together send about so many messages a second. */
const USUAL_RATE = 800;
/** The rate for which the aims of the service are set. */
const HIGH_RATE = 10_000;
/** The venue slows down for a service that does not keep up, and on a machine too slow for both: that proves nothing. */
const ENOUGH_OF_RATE = 0.95;
const ONE_A_CUT: Rules = { gaps: 'one a cut', mayRepeatTrades: false };

export function scenario(name: ScenarioName, extent: Extent): Scenario {
  switch (name) {
    case 'cuts':
      return socketCuts(extent.cuts);
    case 'broker':
      return brokerRestarts(extent.brokerRestarts);
    case 'away':
      return brokerAway(extent.awayMs);
    case 'sigterm':
      return stopped(extent.beforeSignalMs);
    case 'sigkill':
      return killed(extent.beforeSignalMs);
    case 'markets':
      return hundredMarkets(extent.marketsMs);
    case 'rate':
      return highRate(extent.rateMs);
  }
}

type CutKind = 'close' | 'reset' | 'half-open' | 'hang' | 'silence';

/** Services side by side: a handshake that hangs takes ten seconds to be given up. */
function socketCuts(ofAKind: number): Scenario {
  const some = Math.ceil(ofAKind / 2);
  const kinds: readonly (readonly CutKind[])[] = [
    times(some, 'hang'),
    times(ofAKind - some, 'hang'),
    [...times<CutKind>(ofAKind, 'close'), ...times<CutKind>(ofAKind, 'half-open')],
    [...times<CutKind>(ofAKind, 'reset'), ...times<CutKind>(ofAKind, 'silence')],
  ];
  const settings = {
    // Above one second, so that each cut has a gap of its own.
    UPBIT_RECONNECT_DELAY: '1100ms',
    UPBIT_RECONNECT_MAX_DELAY: '1100ms',
    UPBIT_SILENCE_TIMEOUT: '1500ms',
    UPBIT_PING_INTERVAL: '500ms',
  };
  const lanes = kinds.map((_, lane) => ({ symbols: symbols(5, 5 * lane), rate: USUAL_RATE / kinds.length, settings }));
  return {
    name: 'cuts',
    lanes,
    rules: { ...ONE_A_CUT, sharesLog: true },
    play: async (stage) => {
      const order = kinds.map((own) => shuffled(own, stage.random));
      await Promise.all(
        stage.lanes.map(async (lane, index) => {
          for (const kind of order[index] ?? []) {
            await stage.loadBetween(200, 500);
            await cut(lane, kind);
          }
          await stage.load(500);
        }),
      );
    },
  };
}

/** Resolves when the service has subscribed again. */
async function cut({ market }: Lane, kind: CutKind): Promise<void> {
  const since = market.now;
  switch (kind) {
    case 'close':
    case 'reset':
      market.inject({ fault: 'cut', how: kind });
      break;
    case 'half-open':
      market.inject({ fault: 'half-open' });
      break;
    case 'hang':
      market.inject({ fault: 'hang-handshakes', count: 1 });
      market.inject({ fault: 'cut', how: 'reset' });
      break;
    case 'silence':
      market.inject({ fault: 'silence', on: true });
      await market.ended(since);
      market.inject({ fault: 'silence', on: false });
      break;
  }
  await market.subscribed(since);
}

/** So many markets that some books find no newer one to replace them in time, and expire. */
function brokerRestarts(count: number): Scenario {
  return {
    name: 'broker',
    lanes: [{ symbols: symbols(150), rate: USUAL_RATE }],
    rules: ONE_A_CUT,
    play: async (stage) => {
      const [lane] = stage.lanes;
      for (let restart = 1; restart <= count; restart += 1) {
        await stage.loadBetween(1_000, 2_000);
        await stage.killBroker();
        await stage.loadBetween(500, 3_000);
        await stage.startBroker();
        await lane?.service.recovered();
      }
      await stage.load(1_000);
    },
  };
}

/** The connection is cut several times within a second meanwhile, so that the gaps have to merge. */
function brokerAway(ms: number): Scenario {
  const settings = {
    // So that trades go to the disk soon, and for most of the time.
    BUFFER_MAX_MESSAGES: '5000',
    UPBIT_RECONNECT_DELAY: '200ms', // the shortest that the venue's limit on attempts allows
  };
  return {
    name: 'away',
    lanes: [{ symbols: symbols(20), rate: 5 * USUAL_RATE, settings }],
    rules: { gaps: 'merged', mayRepeatTrades: false },
    play: async (stage, findings) => {
      const [lane] = stage.lanes;
      if (lane === undefined) return;
      await stage.load(2_000);
      await stage.killBroker();
      await stage.load(ms / 2);
      for (const kind of ['reset', 'close', 'reset', 'close'] as const) {
        await cut(lane, kind);
        await stage.load(100);
      }
      await stage.load(ms / 2);
      await stage.startBroker();
      await lane.service.recovered();
      if ((await lane.service.metrics()).sum('ingestion_spilled_total') === 0) {
        findings.add('other faults', 'nothing was written to the disk while the broker was away');
      }
      await stage.load(1_000);
    },
  };
}

/** Under load, then with the broker away: what waits must be on the disk, and the next start sends it. */
function stopped(beforeMs: number): Scenario {
  return {
    name: 'sigterm',
    lanes: [{ symbols: symbols(10), rate: USUAL_RATE }],
    rules: { gaps: 'one a cut', mayRepeatTrades: true },
    play: async (stage, findings) => {
      const [lane] = stage.lanes;
      if (lane === undefined) return;
      await stage.load(beforeMs);
      await lane.terminate();
      await lane.start();
      await stage.load(beforeMs);
      await stage.killBroker();
      await stage.load(beforeMs);
      const onDisk = await lane.terminate();
      if (onDisk === 0) findings.add('other faults', 'SIGTERM with the broker away: nothing was left on the disk');
      await stage.startBroker();
      await lane.start();
      await stage.load(beforeMs);
    },
  };
}

/** Under load, then while trades go to the disk. */
function killed(beforeMs: number): Scenario {
  return {
    name: 'sigkill',
    lanes: [{ symbols: symbols(10), rate: USUAL_RATE, settings: { BUFFER_MAX_MESSAGES: '500' } }],
    rules: { gaps: 'one a cut', mayRepeatTrades: true },
    play: async (stage, findings) => {
      const [lane] = stage.lanes;
      if (lane === undefined) return;
      await stage.load(beforeMs);
      await lane.kill();
      await lane.start();
      await stage.load(beforeMs);
      await stage.killBroker();
      await lane.service.until(
        (metrics) => metrics.sum('ingestion_spill_active') === 1,
        'trades did not go to the disk',
      );
      await stage.load(beforeMs);
      await lane.kill();
      if (lane.counts.spilled === 0)
        findings.add('other faults', 'nothing was on the disk when the service was killed');
      await stage.startBroker();
      await lane.start();
      await stage.load(beforeMs);
    },
  };
}

function hundredMarkets(ms: number): Scenario {
  return {
    name: 'markets',
    lanes: [{ symbols: symbols(100), rate: USUAL_RATE }],
    rules: ONE_A_CUT,
    play: (stage) => stage.load(ms),
  };
}

function highRate(ms: number): Scenario {
  return {
    name: 'rate',
    lanes: [{ symbols: symbols(100), rate: HIGH_RATE }],
    rules: ONE_A_CUT,
    play: async (stage, findings) => {
      const [lane] = stage.lanes;
      if (lane === undefined) return;
      const { sent } = lane.market;
      const startedAt = performance.now();
      await stage.load(ms);
      const rate = ((lane.market.sent - sent) / (performance.now() - startedAt)) * 1_000;
      if (rate >= ENOUGH_OF_RATE * HIGH_RATE) return;
      findings.add('other faults', `${Math.round(rate)} frames a second were sent; expected ${HIGH_RATE}`);
    },
  };
}

function symbols(count: number, from = 0): readonly string[] {
  return upbitSimulator.symbols.slice(from, from + count);
}

function times<T>(count: number, item: T): readonly T[] {
  return Array.from({ length: count }, () => item);
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
