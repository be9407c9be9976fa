import type { IngestionStatus } from '@aipx/ingestion';
import type { Logger } from '@aipx/service';

const EVERY_MS = 60_000;
const EVERY_MESSAGES = 1_000;

/** One line a minute at `info`, one every thousand messages at `debug`. */
export class ProgressLog {
  readonly #logger: Logger;
  readonly #status: () => IngestionStatus | undefined;
  #timer: NodeJS.Timeout | undefined;
  #published = 0;
  #atLastMinute = 0;

  constructor(logger: Logger, status: () => IngestionStatus | undefined) {
    this.#logger = logger;
    this.#status = status;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tellMinute(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  published(messages: number): void {
    const thousands = Math.floor(this.#published / EVERY_MESSAGES);
    this.#published += messages;
    if (Math.floor(this.#published / EVERY_MESSAGES) > thousands) {
      this.#logger.debug({ published: this.#published }, `${this.#published} messages published`);
    }
  }

  #tellMinute(): void {
    const status = this.#status();
    if (status === undefined) return;
    const { counts, waiting, spill } = status.publisher;
    const inMinute = this.#published - this.#atLastMinute;
    this.#atLastMinute = this.#published;
    this.#logger.info(
      { ...counts, in_last_minute: inMinute, waiting, on_disk: spill?.waiting ?? 0 },
      `${inMinute} messages published in the last minute, ${waiting} wait`,
    );
  }
}
