import type { IngestionStatus } from '@aipx/ingestion';
import type { Logger } from '@aipx/service';

const LOOK_EVERY_MS = 1_000;

/** Tells once that Kafka takes records again, so that the last word on an outage is not the warning at its beginning. */
export class OutageLog {
  readonly #logger: Logger;
  readonly #status: () => Pick<IngestionStatus, 'publisher'> | undefined;
  readonly #now: () => number;
  #failingSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic, ms */
  constructor(
    logger: Logger,
    status: () => Pick<IngestionStatus, 'publisher'> | undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#logger = logger;
    this.#status = status;
    this.#now = now;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const publisher = this.#status()?.publisher;
    if (publisher === undefined) return;
    const { consecutiveErrors, waiting, spill } = publisher;
    if (consecutiveErrors > 0) {
      this.#failingSince ??= this.#now();
    } else if (this.#failingSince !== undefined) {
      const seconds = Math.max(1, Math.round((this.#now() - this.#failingSince) / 1_000));
      this.#failingSince = undefined;
      const onDisk = spill?.waiting ?? 0;
      this.#logger.info(
        { failed_s: seconds, waiting, on_disk: onDisk },
        `kafka takes records again, after ${seconds} s: ${waiting} wait in memory, ${onDisk} on the disk`,
      );
    }
  }
}
