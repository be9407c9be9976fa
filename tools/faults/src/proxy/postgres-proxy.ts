import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { PASS, type Deed, type HotMoment, type Judge } from '../moment.ts';
import { errorMessage, MessageFramer, textOf, type WireMessage } from './message-framer.ts';
import { reset } from './reset.ts';

export interface PostgresProxyOptions {
  /** Of the server; it may be away. */
  readonly port: number;
  readonly judge: Judge<HotMoment>;
}

const HOST = '127.0.0.1';

/**
 * A wire to a PostgreSQL server, without TLS, that knows COPY and COMMIT when they pass. Only transactions that copied
 * something have moments: the others move nothing that could be lost or doubled.
 */
export class PostgresProxy {
  readonly #server: Server;
  readonly #wires = new Set<Wire>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open({ port, judge }: PostgresProxyOptions): Promise<PostgresProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new PostgresProxy(server);
    server.on('connection', (client) => {
      const wire = new Wire(client, connect({ port, host: HOST, noDelay: true }), judge);
      proxy.#wires.add(wire);
      void wire.run().finally(() => proxy.#wires.delete(wire));
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection. */
  cut(): void {
    for (const wire of this.#wires) wire.reset();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }
}

/** One connection through the proxy. */
class Wire {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #judge: Judge<HotMoment>;
  readonly #over = Promise.withResolvers<undefined>();
  #isCopying = false;
  #hasCopied = false;

  constructor(client: Socket, upstream: Socket, judge: Judge<HotMoment>) {
    this.#client = client;
    this.#upstream = upstream;
    this.#judge = judge;
    for (const socket of [client, upstream]) socket.on('error', () => undefined).on('close', () => this.#end());
  }

  /** Resolves when the connection is over. */
  async run(): Promise<void> {
    const requests = this.#relay(this.#client, this.#upstream, false, (message) => this.#requestMoment(message));
    const answers = this.#relay(this.#upstream, this.#client, true, (message) => this.#answerMoment(message));
    await Promise.allSettled([requests, answers]);
    this.#end();
  }

  reset(): void {
    for (const socket of [this.#client, this.#upstream]) reset(socket);
  }

  #end(): void {
    this.#over.resolve(undefined);
    this.#client.destroy();
    this.#upstream.destroy();
  }

  async #relay(
    from: Socket,
    to: Socket,
    isTyped: boolean,
    momentOf: (message: WireMessage) => HotMoment | undefined,
  ): Promise<void> {
    const framer = new MessageFramer(isTyped);
    for await (const chunk of from) {
      for (const message of framer.take(chunk as Buffer)) {
        const moment = momentOf(message);
        const deed = moment === undefined ? PASS : this.#judge(moment);
        if (deed.does === 'pass' && deed.until !== undefined) await Promise.race([deed.until, this.#over.promise]);
        if (deed.does !== 'pass') return await this.#stop(deed, moment?.at === 'copy' ? message : undefined);
        await write(to, message.bytes);
        deed.afterwards?.();
      }
    }
    to.end();
  }

  /** @param rows of which the server gets the first half, so that it is inside of them */
  async #stop(deed: Exclude<Deed, { does: 'pass' }>, rows: WireMessage | undefined): Promise<void> {
    if (rows !== undefined) await write(this.#upstream, rows.bytes.subarray(0, rows.bytes.length >> 1));
    if (deed.does === 'withhold')
      await Promise.race([deed.until, this.#over.promise].filter((one) => one !== undefined));
    if (deed.does === 'refuse')
      await write(this.#client, errorMessage(String(deed.status), 'injected by the fault run'));
    if (deed.does === 'refuse') this.#end();
    else this.reset();
  }

  #requestMoment(message: WireMessage): HotMoment | undefined {
    if (message.type === 'd' && this.#isCopying) return { wire: 'database', at: 'copy' };
    if (message.type === 'c' || message.type === 'f') this.#isCopying = false;
    if (message.type !== 'Q' || !this.#hasCopied || textOf(message) !== 'COMMIT') return undefined;
    return { wire: 'database', at: 'commit' };
  }

  #answerMoment(message: WireMessage): HotMoment | undefined {
    if (message.type === 'G') this.#isCopying = this.#hasCopied = true;
    if (message.type !== 'C' || !this.#hasCopied) return undefined;
    const tag = textOf(message);
    if (tag === 'COMMIT' || tag === 'ROLLBACK') this.#hasCopied = false;
    return tag === 'COMMIT' ? { wire: 'database', at: 'committed' } : undefined;
  }
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.write(bytes, (error) => (error ? reject(error) : resolve(undefined)));
  await promise;
}
