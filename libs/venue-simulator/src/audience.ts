import type { Client } from './client.js';
import { Wakeup } from './wakeup.js';

/** The clients that are connected now, in order of arrival. */
export class Audience {
  readonly #clients = new Set<Client>();
  readonly #wakeup = new Wakeup();
  #silent = false;

  get clients(): ReadonlySet<Client> {
    return this.#clients;
  }

  /** While silent, no source sends anything. */
  get silent(): boolean {
    return this.#silent;
  }

  add(client: Client): void {
    client.keepSilent(this.#silent);
    this.#clients.add(client);
    void client.ended.then(() => {
      this.#clients.delete(client);
      this.changed();
    });
  }

  keepSilent(silent: boolean): void {
    this.#silent = silent;
    for (const client of this.#clients) client.keepSilent(silent);
    this.changed();
  }

  changed(): void {
    this.#wakeup.notify();
  }

  /** Resolves when clients, subscriptions or silence have changed since the last call. For the source alone. */
  async change(signal: AbortSignal): Promise<void> {
    await this.#wakeup.wait(signal);
  }
}
