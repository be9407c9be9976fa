import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import type { Audience } from './audience.js';
import type { Client } from './client.js';
import type { Delivery } from './delivery.js';
import { isPlayedTo, playedBytes, readRecording, type RecordedLine } from './frames/recording.js';
import { BATCH_FRAMES, pause } from './pace.js';
import { RecordingClock } from './recording-clock.js';

export interface FramesSourceOptions {
  readonly path: string;
  readonly venue: SimulatedVenue;
  /** 1 = as recorded, 10 = ten times as fast, or as fast as the client takes them. */
  readonly speed: number | 'max';
  /** Data frames of this venue to leave out at the beginning. */
  readonly from: number;
  readonly audience: Audience;
  readonly delivery: Delivery;
}

/** Timers take no longer ones. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

/**
 * Plays a recording, frame by frame as it was received, to one client: the first that has subscribed to anything. When
 * that one leaves, the next subscriber gets what follows the last frame handed over.
 */
export class FramesSource {
  readonly #options: FramesSourceOptions;
  readonly #clock: RecordingClock;
  #listener: Client | undefined;
  #controlFrames = 0;
  #unsettled = 0;

  constructor(options: FramesSourceOptions) {
    this.#options = options;
    this.#clock = new RecordingClock(options.speed);
  }

  /** Recorded protocol talk that was left out so far. */
  get controlFrames(): number {
    return this.#controlFrames;
  }

  /**
   * Resolves when the last frame was handed over, or the signal is aborted.
   *
   * @throws {MarketDataError} `CONFIG_FRAMES_FILE` when the file cannot be read to its end
   */
  async run(signal: AbortSignal): Promise<void> {
    const { path, from, delivery } = this.#options;
    let left = from;
    for await (const lines of readRecording(path, signal)) {
      for (const line of lines) {
        if (!this.#isOurs(line)) continue;
        if (left > 0) left -= 1;
        else await this.#play(line, signal);
        if (signal.aborted) return;
      }
    }
    await delivery.settle();
  }

  #isOurs(line: RecordedLine): boolean {
    const { venue } = this.#options;
    if (isPlayedTo(venue, line)) return true;
    if (line.venue === venue.id) this.#controlFrames += 1;
    return false;
  }

  async #play(line: RecordedLine, signal: AbortSignal): Promise<void> {
    const { delivery } = this.#options;
    const frame = playedBytes(line);
    for (;;) {
      const client = this.#ready() ?? (await this.#nextListener(signal));
      if (client === undefined) return;
      const early = this.#clock.early(line.receivedAtMs);
      if (early >= 1) {
        await this.#settle();
        await pause(Math.min(early, LONGEST_SLEEP_MS), signal);
        if (signal.aborted) return;
      } else if (delivery.hand(client, frame, { line: line.number })) {
        this.#unsettled += 1;
        if (this.#unsettled >= BATCH_FRAMES) await this.#settle();
        return;
      }
    }
  }

  #ready(): Client | undefined {
    return this.#listener?.open === true && !this.#options.audience.silent ? this.#listener : undefined;
  }

  /** Waits for a client that may be played to; `undefined` when the signal is aborted before. */
  async #nextListener(signal: AbortSignal): Promise<Client | undefined> {
    const { audience } = this.#options;
    await this.#settle();
    while (!signal.aborted) {
      if (!audience.silent) {
        const listening = (client: Client): boolean => client.open && client.protocol.subscribed;
        this.#listener = this.#ready() ?? [...audience.clients].find(listening);
        if (this.#listener !== undefined) {
          this.#clock.restart();
          return this.#listener;
        }
      }
      await audience.change(signal);
    }
    return undefined;
  }

  async #settle(): Promise<void> {
    this.#unsettled = 0;
    await this.#options.delivery.settle();
    await nextTurn();
  }
}
