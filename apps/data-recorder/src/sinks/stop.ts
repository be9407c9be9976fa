import { once } from 'node:events';
import type { Logger } from '@aipx/service';
import type { Sink } from './sink.js';

/** A store that fails already is given so long, ms, to take what was read. */
const PATIENCE_WITH_FAILING_STORE_MS = 5_000;
/** Kept of the grace, ms, for what is on its way when the flush is given up, and for leaving the consumer group. */
const LEAVING_MS = 8_000;

/** The end of a sink, within the grace. Whatever is not stored by then is in the log, and is read again at the next start. */
export class SinkStop {
  readonly #logger: Logger;
  readonly #flushMs: number;
  readonly #atOnce: AbortSignal;

  constructor(logger: Logger, graceMs: number, atOnce: AbortSignal) {
    this.#logger = logger;
    this.#flushMs = Math.max(graceMs / 2, graceMs - LEAVING_MS);
    this.#atOnce = atOnce;
  }

  /** Stores what was read, then leaves the group. Never rejects. */
  async of(sink: Sink): Promise<void> {
    if (sink.isRecording) await this.#flush(sink);
    await Promise.race([sink.end(), aborted(this.#atOnce)]);
  }

  async #flush(sink: Sink): Promise<void> {
    const { name } = sink;
    const isFailing = sink.status.fault !== undefined;
    const patienceMs = isFailing ? Math.min(PATIENCE_WITH_FAILING_STORE_MS, this.#flushMs) : this.#flushMs;
    try {
      await sink.flush(AbortSignal.any([this.#atOnce, AbortSignal.timeout(patienceMs)]));
      this.#logger.info({ sink: name }, `${name}: all that was read is stored`);
    } catch {
      const { recorder, fault } = sink.status;
      const left = recorder?.bufferedRecords ?? 0;
      const reason = fault?.error.message ?? 'there was no time';
      this.#logger.warn(
        { sink: name, left, error: fault?.error },
        `${name}: ${left} records are not stored and are read from Kafka again at the next start: ${reason}`,
      );
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
