import type { EventLog } from '@aipx/event-log';
import type { MarketDataError } from '@aipx/market-model';
import { HotRecorder, RecordingPipeline, type HotRecorderOptions, type HotStore } from '@aipx/recording';
import { onTestFinished } from 'vitest';
import type { DatabaseAddress } from '../../src/database-address.js';
import { TOPICS } from '../../src/testing/index.js';
import { TimescaleStore } from '../../src/timescale-store.js';

export interface Recording {
  readonly recorder: HotRecorder;
  readonly pipeline: RecordingPipeline;
  readonly faults: MarketDataError[];
  /** Rejects with what ended the pipeline for good. */
  readonly running: Promise<void>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

type Options = Partial<Omit<HotRecorderOptions, 'log' | 'store' | 'signal'>> & { readonly group?: string };

/** A store of one test. */
export function hotStore(address: DatabaseAddress, statementTimeoutMs?: number): TimescaleStore {
  const store = new TimescaleStore(address, statementTimeoutMs === undefined ? {} : { statementTimeoutMs });
  onTestFinished(() => store.close());
  return store;
}

/** Starts the hot pipeline over a log; it ends with the test. */
export function record(log: EventLog, store: HotStore, { group = 'hot', ...options }: Options = {}): Recording {
  const stopping = new AbortController();
  const faults: MarketDataError[] = [];
  const onFault = (fault: MarketDataError) => void faults.push(fault);
  const recorder = new HotRecorder({ log, store, signal: stopping.signal, onFault, ...options });
  const pipeline = new RecordingPipeline({ log, recorder, group, topics: TOPICS, onFault });
  const running = pipeline.run(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await running.catch(() => undefined);
  };
  running.catch(() => undefined);
  onTestFinished(stop);
  return { recorder, pipeline, faults, running, stop, drain: () => pipeline.drain(AbortSignal.timeout(25_000)) };
}
