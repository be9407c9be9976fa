import type { Audience } from './audience.js';
import type { Client } from './client.js';
import type { Journal, Subject } from './journal.js';

/** Hands data frames to sockets, counts and journals them. Never drops, and never buffers more than a high-water mark. */
export class Delivery {
  readonly #audience: Audience;
  readonly #journal: Journal | undefined;
  #sent = 0;
  #sentRecords = 0;

  constructor(audience: Audience, journal: Journal | undefined) {
    this.#audience = audience;
    this.#journal = journal;
  }

  /** Data frames handed to sockets so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Records of the market in these frames; a frame that is broken on purpose, or recorded, counts as one. */
  get sentRecords(): number {
    return this.#sentRecords;
  }

  /** False when the client has gone; then the frame does not count. */
  hand(client: Client, frame: Uint8Array, subject: Subject): boolean {
    if (!client.send(frame)) return false;
    this.#sent += 1;
    this.#sentRecords += recordsOf(subject);
    this.#journal?.record(client.id, subject, frame);
    return true;
  }

  /**
   * Writes what was handed over and waits for every client that does not read fast enough. A client that never reads
   * is waited for until it is cut (idle limit, `stop`): that is what makes the simulator lossless.
   */
  async settle(): Promise<void> {
    for (const client of this.#audience.clients) client.flush();
    for (const client of this.#audience.clients) if (client.congested) await client.drained();
    await this.#journal?.settle();
  }
}

function recordsOf(subject: Subject): number {
  if (!('records' in subject) || subject.records === undefined) return 1;
  return subject.records.reduce((count, { fate }) => (fate === 'lost' ? count : count + 1), 0);
}
