import { ReconnectingWebSocket, type ReconnectingWebSocketOptions, type StateChange } from '../src/index.js';
import { Mailbox, VenueServer } from './venue-server.js';

export const RECONNECT = { floorMs: 5, capMs: 20, factor: 2, jitter: 0, retries: 0 };

/** A venue, and what its sockets tell their owner. */
export class ReconnectingFixture implements AsyncDisposable {
  readonly venue: VenueServer;
  readonly stop = new AbortController();
  readonly changes = new Mailbox<StateChange>();
  /** Each change as `FROM trigger TO`. */
  readonly history: string[] = [];
  readonly frames = new Mailbox<readonly [text: string, connectionId: string]>();

  private constructor(venue: VenueServer) {
    this.venue = venue;
  }

  static async start(): Promise<ReconnectingFixture> {
    return new ReconnectingFixture(await VenueServer.start());
  }

  /** Connections are named `connection-1` and so on. */
  make(options: Partial<ReconnectingWebSocketOptions> = {}): ReconnectingWebSocket {
    let made = 0;
    return new ReconnectingWebSocket(
      this.optionsOf({ newConnectionId: () => `connection-${(made += 1)}`, ...options }),
    );
  }

  optionsOf(options: Partial<ReconnectingWebSocketOptions>): ReconnectingWebSocketOptions {
    return {
      url: this.venue.url,
      handshakeTimeoutMs: 5_000,
      silenceTimeoutMs: 60_000,
      reconnect: RECONNECT,
      signal: this.stop.signal,
      onFrame: (bytes, _, connection) => this.frames.put([Buffer.from(bytes).toString(), connection.id]),
      onState: (change) => {
        this.history.push(`${change.from} ${change.trigger} ${change.to}`);
        this.changes.put(change);
      },
      ...options,
    };
  }

  async until(to: StateChange['to']): Promise<StateChange> {
    for (;;) {
      const change = await this.changes.take();
      if (change.to === to) return change;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.venue.stop();
  }
}
