import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { MarketDataError } from '@aipx/market-model';
import { KafkaEventLog, type KafkaEventLogOptions } from '../../src/kafka/index.js';

/** What a server that is no Kafka broker, or a sick one, does with whoever connects. */
type Behaviour = (client: Socket) => void;

describe('Opening a log where no healthy broker is', () => {
  const servers: Server[] = [];
  const clients: Socket[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, 'close');
    }
  });

  async function serve(behaviour: Behaviour): Promise<string> {
    const server = createServer((client) => {
      clients.push(client);
      client.on('error', () => undefined);
      behaviour(client);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** The first thing that is told while the log waits. */
  async function faultOf(broker: string, options: Partial<KafkaEventLogOptions> = {}): Promise<MarketDataError> {
    const stop = new AbortController();
    const told = Promise.withResolvers<MarketDataError>();
    const opening = KafkaEventLog.open({
      brokers: [broker],
      clientId: 'event-log-test',
      topics: { 'market.tick': 1 },
      replication: 1,
      compression: 'zstd',
      acks: 'all',
      requestTimeoutMs: 1_000,
      signal: stop.signal,
      onFault: told.resolve,
      ...options,
    });
    const fault = await told.promise;
    stop.abort();
    await expect(opening).rejects.toBe(stop.signal.reason);
    return fault;
  }

  it.each<readonly [string, string, Behaviour]>([
    [
      'answers in TLS',
      'TLS; this client speaks to a PLAINTEXT listener',
      (client) => client.write(Buffer.from('15030300020250', 'hex')),
    ],
    [
      'answers in HTTP',
      'HTTP; that port belongs to another server',
      (client) => client.write('HTTP/1.1 400 Bad Request\r\n'),
    ],
    ['answers with other bytes', 'bytes that are no answer of Kafka', (client) => client.write(Buffer.alloc(16, 0xff))],
    ['hangs up at once', 'is that port no PLAINTEXT listener?', (client) => client.end()],
  ])('tells what it is that %s, and waits for a broker there', async (_, expected, behaviour) => {
    const broker = await serve(behaviour);
    const fault = await faultOf(broker);
    expect(fault).toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    expect(fault.message).toContain(`Kafka broker ${broker}`);
    expect(fault.message).toContain(expected);
  });

  it('tells of a broker that takes the connection and never answers', async () => {
    const broker = await serve(() => undefined);
    expect((await faultOf(broker, { connectTimeoutMs: 50 })).message).toContain('does not answer (ApiVersions, 50 ms)');
  });

  it('tells of a port where nobody listens, and of a name that does not exist', async () => {
    const broker = await serve(() => undefined);
    servers.splice(0).forEach((server) => server.close());
    expect((await faultOf(broker)).message).toContain(`${broker}: nothing listens there`);
    expect((await faultOf('no-such-host.invalid:9092')).message).toContain('no-such-host.invalid:9092');
  });

  it('tells what every address says', async () => {
    const [one, other] = [await serve((client) => client.end()), await serve((client) => client.end())];
    const { message } = await faultOf(one, { brokers: [one, other] });
    expect(message).toContain(one);
    expect(message).toContain(other);
  });

  it.each<readonly [string, Partial<KafkaEventLogOptions>]>([
    ['localhost', { brokers: ['localhost'] }],
    ['no address', { brokers: [] }],
    ['no topic', { topics: {} }],
    ['0 partitions', { topics: { 'market.tick': 0 } }],
    ['0 brokers to keep', { replication: 0 }],
    ['0 ms as request timeout', { requestTimeoutMs: 0 }],
    ['market.book', { producers: [['market.book']] }],
    ['named twice', { producers: [['market.tick'], ['market.tick']] }],
  ])('refuses settings that cannot be, with the value: %s', async (named, options) => {
    const opening = KafkaEventLog.open({
      brokers: ['127.0.0.1:9092'],
      clientId: 'event-log-test',
      topics: { 'market.tick': 1 },
      replication: 1,
      compression: 'zstd',
      acks: 'all',
      requestTimeoutMs: 1_000,
      signal: AbortSignal.timeout(10_000),
      ...options,
    });
    await expect(opening).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(named) as string,
    });
  });
});
