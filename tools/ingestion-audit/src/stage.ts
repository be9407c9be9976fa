import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKafka, type KafkaCluster } from '@aipx/stack';
import { seededRandom } from '@aipx/venue/simulation';
import type { Findings } from './findings.ts';
import { Market } from './market.ts';
import { addCounts, NO_COUNTS, type Life, type ServiceCounts } from './service-counts.ts';
import { ServiceProcess } from './service-process.ts';

/** A simulated venue and the service that listens to it. */
export interface LaneOptions {
  readonly symbols: readonly string[];
  /** Frames a second. */
  readonly rate: number;
  /** Of the service, beside the addresses. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface StageOptions {
  readonly folder: string;
  readonly seed: number;
  readonly lanes: readonly LaneOptions[];
  readonly findings: Findings;
  readonly signal: AbortSignal;
}

const LONGEST_STOP_MS = 10_000;
/** So long the market goes on when the service is back. */
const AFTER_RETURN_MS = 500;

export class Lane {
  readonly symbols: readonly string[];
  readonly market: Market;
  readonly journal: string;
  readonly #folder: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #findings: Findings;
  readonly #signal: AbortSignal;
  #service: ServiceProcess | undefined;
  readonly #lives: Life[] = [];
  #bornAt = 0;
  /** What the last life left on the disk, at least. */
  #leftOnDisk = 0;
  #counts: ServiceCounts = NO_COUNTS;

  private constructor(
    market: Market,
    journal: string,
    folder: string,
    settings: Readonly<Record<string, string>>,
    findings: Findings,
    signal: AbortSignal,
  ) {
    this.symbols = market.symbols;
    this.market = market;
    this.journal = journal;
    this.#folder = folder;
    this.#settings = settings;
    this.#findings = findings;
    this.#signal = signal;
  }

  static async open(
    { symbols, rate, settings = {} }: LaneOptions,
    folder: string,
    brokers: readonly string[],
    { seed, findings, signal }: StageOptions,
  ): Promise<Lane> {
    await mkdir(folder, { recursive: true });
    const journal = join(folder, 'journal.jsonl');
    const market = await Market.open({ symbols, seed, rate, journal, signal });
    const addresses = {
      MARKETS: symbols.map((symbol) => `upbit:${symbol}`).join(','),
      UPBIT_WEBSOCKET_URL: market.websocketUrl,
      UPBIT_API_URL: market.apiUrl,
      KAFKA_BROKERS: brokers.join(','),
      SPILL_DIR: join(folder, 'spill'),
    };
    return new Lane(market, journal, folder, { ...addresses, ...settings }, findings, signal);
  }

  /** The service that runs now. */
  get service(): ServiceProcess {
    if (this.#service === undefined) throw new Error('the service does not run');
    return this.#service;
  }

  /** What it has counted in all lives that are over. */
  get counts(): ServiceCounts {
    return this.#counts;
  }

  /** Its lives that are over. */
  get lives(): readonly Life[] {
    return this.#lives;
  }

  /** Begins a life of the service, which must find what the last one left; resolves when its subscription stands. */
  async start(): Promise<void> {
    this.#bornAt = this.market.now;
    const life = this.#lives.length + 1;
    this.#service = await ServiceProcess.start({ folder: this.#folder, life, settings: this.#settings });
    await this.market.subscribed(this.#bornAt);
    const { foundOnDisk } = this.#service;
    if (foundOnDisk >= this.#leftOnDisk) return;
    const says = `${this.#leftOnDisk} records were left on the disk, and the next start found ${foundOnDisk}`;
    this.#findings.add('lost', says, this.#leftOnDisk - foundOnDisk);
  }

  /** SIGTERM, which must end the service cleanly and in time. @returns records that it left on the disk */
  async terminate(isQuiet = false): Promise<number> {
    if (!isQuiet) await this.service.metrics();
    const { code, tookMs, onDisk } = await this.service.terminate(isQuiet);
    const seconds = (tookMs / 1_000).toFixed(1);
    if (code !== 0) this.#findings.add('other faults', `SIGTERM: the service ended with code ${code}; expected 0`);
    if (tookMs >= LONGEST_STOP_MS) this.#findings.add('other faults', `SIGTERM: the service took ${seconds} s to end`);
    this.#buried(this.service, onDisk);
    return onDisk;
  }

  async kill(): Promise<void> {
    await this.service.metrics();
    await this.service.kill();
    this.#buried(this.service, this.service.knownOnDisk);
  }

  /** The market ends, the service gets to send everything, and ends. */
  async finish(): Promise<void> {
    // A market that a busy machine held up was silent, and what it sent before it noticed that the service had left
    // is named when the service is back: so it has to be.
    while (!(await this.market.stands())) {
      await this.market.subscribed(this.market.now);
      await sleep(AFTER_RETURN_MS, undefined, { signal: this.#signal });
    }
    await this.market.finish();
    await this.service.settled();
    await this.terminate(true);
  }

  /** Ends the service at once if it still runs. */
  async discard(): Promise<void> {
    await this.#service?.discard();
  }

  #buried(service: ServiceProcess, leftOnDisk: number): void {
    const counts = service.counts();
    const { foundOnDisk } = service;
    const connections = this.market.openedSince(this.#bornAt);
    this.#lives.push({ connections, published: counts.published, foundOnDisk });
    this.#counts = addCounts(this.#counts, counts);
    this.#leftOnDisk = leftOnDisk;
    this.#service = undefined;
  }
}

/** A broker and what happens around it. */
export class Stage {
  readonly lanes: readonly Lane[];
  readonly random: () => number;
  readonly #cluster: KafkaCluster;
  readonly #signal: AbortSignal;

  private constructor(cluster: KafkaCluster, lanes: readonly Lane[], { seed, signal }: StageOptions) {
    this.lanes = lanes;
    this.random = seededRandom(seed, 'faults');
    this.#cluster = cluster;
    this.#signal = signal;
  }

  /** Starts the broker, the markets, and a service for each. */
  static async open(options: StageOptions): Promise<Stage> {
    const { folder, signal } = options;
    await mkdir(folder, { recursive: true });
    const log = createWriteStream(join(folder, 'kafka.log'));
    const onLog = (line: string) => void log.write(`${line}\n`);
    const cluster = await startKafka({ folder: join(folder, 'kafka'), signal, onLog });
    const lanes: Lane[] = [];
    const stage = new Stage(cluster, lanes, options);
    try {
      for (const [index, lane] of options.lanes.entries()) {
        lanes.push(await Lane.open(lane, join(folder, `lane-${index + 1}`), cluster.brokers, options));
      }
      await Promise.all(lanes.map((lane) => lane.start()));
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get brokers(): readonly string[] {
    return this.#cluster.brokers;
  }

  /** Lets the market go on for a while. */
  async load(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal });
  }

  /** Between two durations, by the seed. */
  async loadBetween(fromMs: number, toMs: number): Promise<void> {
    await this.load(fromMs + this.random() * (toMs - fromMs));
  }

  /** SIGKILL: what the broker acknowledged it must have. */
  async killBroker(): Promise<void> {
    for (const node of this.#cluster.nodes) await node.kill();
  }

  async startBroker(): Promise<void> {
    for (const node of this.#cluster.nodes) await node.start();
  }

  /** Leaves nothing behind that runs. */
  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.discard()));
    await this.#cluster.stop();
  }
}
