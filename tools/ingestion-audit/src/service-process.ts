import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metrics } from './metrics.ts';
import type { ServiceCounts } from './service-counts.ts';
import { Signals } from './signals.ts';

const SERVICE = resolve(import.meta.dirname, '../../../apps/data-ingestion/dist/main.js');
const START_MS = 60_000;
const SETTLE_MS = 180_000;
const ASK_EVERY_MS = 100;
const NANOS_PER_MILLI = 1_000_000n;

export interface ServiceOptions {
  /** Where it runs, so that no `.env` of anybody is read, and where its log goes. */
  readonly folder: string;
  /** Tells its lives apart in the names of their logs. */
  readonly life: number;
  readonly settings: Readonly<Record<string, string>>;
}

interface LogLine {
  readonly message?: string;
  readonly http_port?: number;
  readonly to?: string;
  readonly published?: number;
  readonly conflated?: number;
  readonly dropped?: Readonly<Record<string, number>>;
  readonly on_disk?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly tookMs: number;
  /** Records that it left on the disk, as it says. */
  readonly onDisk: number;
}

/** One life of the service, as a process of its own, seen from outside: its log, its metrics, its exit. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #lines = new Signals<LogLine>();
  readonly #log: WriteStream;
  readonly #ended: Promise<unknown>;
  #port: number | undefined;
  #lastAskedAt = 0n;
  #lastMetrics: Metrics | undefined;
  /** The last line of its log that tells sums: the one of its end, once it has ended by itself. */
  #lastSums: LogLine | undefined;
  #end: 'quiet' | 'under load' | 'killed' | undefined;

  private constructor(child: ChildProcess, log: WriteStream) {
    this.#child = child;
    this.#log = log;
    this.#ended = once(child, 'close');
    this.#ended.catch(() => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#heard(line));
    }
    child.on('close', () => {
      this.#log.end();
      this.#lines.add({ message: 'ended' });
    });
  }

  /** Starts it and returns once it serves its metrics. */
  static async start({ folder, life, settings }: ServiceOptions): Promise<ServiceProcess> {
    await mkdir(folder, { recursive: true });
    const child = spawn(process.execPath, [SERVICE], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', LOG_FORMAT: 'json', HTTP_PORT: '0', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const service = new ServiceProcess(child, createWriteStream(join(folder, `service-${life}.log`)));
    const line = await service.#lines.first(
      ({ http_port, message }) => http_port !== undefined || message === 'ended',
      {
        what: 'the service did not say where its metrics are',
        withinMs: START_MS,
      },
    );
    if (line.http_port === undefined)
      throw new Error(`the service did not start: see service-${life}.log in ${folder}`);
    service.#port = line.http_port;
    return service;
  }

  /** The venue's connection stands. */
  async connected(): Promise<void> {
    const what = 'the service did not connect to the venue';
    await this.#lines.first(({ to }) => to === 'CONNECTED', { what, withinMs: START_MS });
  }

  /** What it counts now. */
  async metrics(): Promise<Metrics> {
    const askedAt = wallClock();
    const answer = await fetch(`http://127.0.0.1:${this.#port}/metrics`);
    this.#lastMetrics = new Metrics(await answer.text());
    this.#lastAskedAt = askedAt;
    return this.#lastMetrics;
  }

  /** Asks for the metrics until they are as meant. @throws after three minutes, saying what was waited for */
  async until(isMeant: (metrics: Metrics) => boolean, what: string): Promise<void> {
    const end = performance.now() + SETTLE_MS;
    while (!isMeant(await this.metrics())) {
      if (performance.now() > end) throw new Error(`waited ${SETTLE_MS / 1_000} s in vain: ${what}`);
      await sleep(ASK_EVERY_MS);
    }
  }

  /** Everything it has received is acknowledged: nothing waits in memory or on the disk. */
  async settled(): Promise<void> {
    await this.until(
      (metrics) => metrics.sum('ingestion_buffer_messages') === 0 && metrics.sum('ingestion_spill_messages') === 0,
      'the service did not send what it holds',
    );
  }

  /** After an outage, while the market goes on: sends work again, and the disk is empty. */
  async recovered(): Promise<void> {
    await this.until(
      (metrics) => metrics.sum('ingestion_consecutive_errors') === 0 && metrics.sum('ingestion_spill_messages') === 0,
      'the service did not catch up after the broker came back',
    );
  }

  /**
   * SIGTERM. Resolves when it is gone.
   *
   * @param isQuiet nothing comes any more and its metrics were read since, so that they are its last ones
   */
  async terminate(isQuiet: boolean): Promise<Exit> {
    const startedAt = performance.now();
    this.#child.kill('SIGTERM');
    await this.#ended;
    const tookMs = performance.now() - startedAt;
    this.#end = isQuiet ? 'quiet' : 'under load';
    return { code: this.#child.exitCode, tookMs, onDisk: this.#lastSums?.on_disk ?? 0 };
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    this.#end = 'killed';
  }

  /** For the end of the audit, whatever happened: nothing of it stays. */
  async discard(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }

  /** Records of an earlier life that it says it found on the disk. */
  get foundOnDisk(): number {
    const says = this.#lines.since(0).map(({ message = '' }) => /^(\d+) records of an earlier run/.exec(message)?.[1]);
    return Number(says.find((count) => count !== undefined) ?? 0);
  }

  /** Records on the disk when its metrics were read last. */
  get knownOnDisk(): number {
    return this.#lastMetrics?.sum('ingestion_spill_messages') ?? 0;
  }

  /** What it counted in its life: as it said when it ended; what it said nothing of then, as it showed last. */
  counts(): ServiceCounts {
    const metrics = this.#lastMetrics;
    if (metrics === undefined) throw new Error('the metrics were never read');
    const said = this.#end === 'killed' ? undefined : this.#lastSums;
    return {
      received: this.#end === 'quiet' ? metrics.sum('ingestion_messages_received_total') : undefined,
      published: said?.published ?? metrics.sum('ingestion_messages_published_total'),
      conflated: said?.conflated ?? metrics.sum('ingestion_conflated_total'),
      dropped: said?.dropped ?? metrics.by('ingestion_dropped_total', 'reason'),
      spilled: Math.max(metrics.sum('ingestion_spilled_total'), said?.on_disk ?? 0),
      untold: this.#end === 'killed' ? [{ from: this.#lastAskedAt, to: wallClock() }] : [],
    };
  }

  #heard(text: string): void {
    this.#log.write(`${text}\n`);
    const line = readLine(text);
    if (line === undefined) return;
    if (line.on_disk !== undefined) this.#lastSums = line;
    this.#lines.add(line);
  }
}

function readLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined; // a warning of Node.js, say
  }
}

function wallClock(): bigint {
  return BigInt(Date.now()) * NANOS_PER_MILLI;
}
