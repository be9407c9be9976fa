import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { envExample, loadSettings } from '@aipx/service';
import { venues } from '@aipx/venue-registry';
import { describe, expect, it } from 'vitest';
import { ingestionSchema, ingestionSettings, type IngestionSettings } from './settings.js';

const REGENERATE = 'node apps/data-ingestion/dist/main.js --print-env-example > apps/data-ingestion/.env.example';
const EXAMPLE = join(import.meta.dirname, '../.env.example');
const EMPTY_FOLDER = '/nowhere';

async function settings(environment: Readonly<Record<string, string>>): Promise<IngestionSettings> {
  const { values } = await loadSettings(ingestionSchema, { environment, folder: EMPTY_FOLDER });
  return ingestionSettings(values);
}

/** The lines of the refusal, without its first. */
async function faults(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const error = await settings(environment).then(
    () => new Error('nothing was refused'),
    (cause: unknown) => cause as Error,
  );
  return error.message.split('\n').slice(1);
}

const MARKETS = { MARKETS: 'upbit:KRW-BTC' };

describe('the settings of data-ingestion', () => {
  it('have the defaults of the design', async () => {
    const { venues: venueSettings, markets, ...rest } = await settings(MARKETS);
    expect(rest).toEqual({
      service: {
        name: 'data-ingestion',
        environment: 'development',
        logLevel: 'info',
        logFormat: 'json',
        logFile: undefined,
        shutdownGraceMs: 9_000,
      },
      http: { port: 8080 },
      buffer: {
        maxMessages: 20_000,
        maxBytes: 16 * 1024 ** 2,
        bookTtlMs: 1_000,
        tradeTtlMs: 0,
        priority: 'trades',
        spillDir: '.aipx/spill',
        spillMaxBytes: 1024 ** 3,
        gapLookbackMs: 3_600_000,
      },
      kafka: {
        brokers: ['localhost:9092'],
        clientId: 'data-ingestion-connector',
        compression: 'zstd',
        lingerMs: 5,
        acks: 'all',
        requestTimeoutMs: 30_000,
        maxConsecutiveErrors: 10,
        topicPartitions: 6,
        topicReplication: 1,
      },
      redis: undefined,
    });
    expect(markets).toHaveLength(1);
    expect([...venueSettings.keys()]).toEqual(Object.keys(venues));
  });

  it.each(Object.values(venues))('connect $driver.id as its driver does', async ({ driver }) => {
    const { venues: venueSettings } = await settings(MARKETS);
    const { websocketUrl, apiUrl, reconnect, keepAlive, silenceTimeoutMs, bookDepth } = driver.defaults;
    const { own, ...common } = venueSettings.get(driver.id) ?? {};
    expect(own).toMatchObject({ websocketUrl });
    expect(common).toEqual({
      websocketUrl,
      apiUrl,
      reconnect,
      keepAlive,
      silenceTimeoutMs,
      bookDepth,
    });
  });

  it('change of a venue what they say, and keep the rest of its driver', async () => {
    const { venues: venueSettings } = await settings({
      ...MARKETS,
      UPBIT_WEBSOCKET_URL: 'ws://127.0.0.1:9/websocket/v1',
      UPBIT_RECONNECT_RETRIES: '5',
      UPBIT_RECONNECT_DELAY: '200ms',
      UPBIT_RECONNECT_MAX_DELAY: '2s',
      UPBIT_PING_INTERVAL: '1s',
      UPBIT_SILENCE_TIMEOUT: '2s',
      UPBIT_BOOK_DEPTH: '30',
    });
    const { reconnect, keepAlive } = venues.upbit.driver.defaults;
    expect(venueSettings.get('upbit')).toMatchObject({
      websocketUrl: 'ws://127.0.0.1:9/websocket/v1',
      reconnect: { ...reconnect, retries: 5, floorMs: 200, capMs: 2_000 },
      keepAlive: { ...keepAlive, everyMs: 1_000 },
      silenceTimeoutMs: 2_000,
      bookDepth: 30,
    });
  });

  it('are refused beyond what the venue and its driver allow', async () => {
    expect(
      await faults({
        ...MARKETS,
        UPBIT_PING_INTERVAL: '30s',
        UPBIT_BOOK_DEPTH: '10',
        UPBIT_RECONNECT_DELAY: '100ms',
        UPBIT_API_URL: 'ws://x/',
      }),
    ).toEqual([
      'UPBIT_API_URL (environment): "ws://x/" is not an address that begins with https:// or http://, without user and password',
      'UPBIT_RECONNECT_DELAY (environment): "100ms" is not a duration from 200ms to 1h (units: ms, s, m, h)',
      'UPBIT_PING_INTERVAL (environment): "30s" is not a duration from 100ms to below 30s (units: ms, s, m, h)',
      'UPBIT_BOOK_DEPTH (environment): "10" is not one of 1, 5, 15, 30',
    ]);
  });

  it('are refused when they contradict each other', async () => {
    expect(
      await faults({
        ...MARKETS,
        UPBIT_RECONNECT_DELAY: '40s',
        UPBIT_SILENCE_TIMEOUT: '25s',
        KAFKA_LINGER: '500ms',
        BUFFER_BOOK_TTL: '500ms',
      }),
    ).toEqual([
      'BUFFER_BOOK_TTL (environment): 500ms is too short: every book waits KAFKA_LINGER, which is 500ms',
      'UPBIT_RECONNECT_MAX_DELAY (default): 30s is too short: expected at least UPBIT_RECONNECT_DELAY, which is 40s',
      'UPBIT_SILENCE_TIMEOUT (environment): 25s is too short: expected more than UPBIT_PING_INTERVAL, which is 25s',
    ]);
  });

  it.each([
    ['an empty SPILL_DIR keeps nothing on disk', { SPILL_DIR: '' }, { spillDir: undefined }],
    ['books without a limit', { BUFFER_BOOK_TTL: '0' }, { bookTtlMs: 0 }],
    ['trades with one', { BUFFER_TRADE_TTL: '1m' }, { tradeTtlMs: 60_000 }],
    ['books before trades', { BUFFER_PRIORITY: 'books' }, { priority: 'books' }],
  ])('take %s', async (_, environment, buffer) => {
    expect((await settings({ ...MARKETS, ...environment })).buffer).toMatchObject(buffer);
  });

  it.each(['localhost', 'localhost:0', 'localhost:65536', ':9092', 'http://a:9092', 'a:9092,b'])(
    'refuse %j as brokers',
    async (brokers) => {
      expect(await faults({ ...MARKETS, KAFKA_BROKERS: brokers })).toEqual([
        expect.stringMatching(/^KAFKA_BROKERS \(environment\): .*an address such as localhost:9092$/),
      ]);
    },
  );

  it('take brokers by name and by address', async () => {
    const { kafka } = await settings({ ...MARKETS, KAFKA_BROKERS: 'kafka-1.internal:9092, 10.0.0.1:65535,[::1]:1' });
    expect(kafka.brokers).toEqual(['kafka-1.internal:9092', '10.0.0.1:65535', '[::1]:1']);
  });

  it('warn of a misspelled name, but not of what other apps read', async () => {
    const environment = {
      ...MARKETS,
      KAFKA_GROUP_ID: 'x',
      KAFKA_TOPICS: 'x',
      UPBIT_PING_INTERVALL: '1s',
      KIS_RATE_LIMIT: '1',
    };
    const { warnings } = await loadSettings(ingestionSchema, { environment, folder: EMPTY_FOLDER });
    expect(warnings).toEqual([
      'UPBIT_PING_INTERVALL (environment) is no setting of data-ingestion and has no effect; did you mean UPBIT_PING_INTERVAL?',
    ]);
  });
});

describe('the settings of KIS', () => {
  const KIS = { MARKETS: 'kis:005930', KIS_API_KEY: 'an-app-key', KIS_API_SECRET: 'an-app-secret' };

  it('have the defaults of the design', async () => {
    const { venues: venueSettings, redis } = await settings(KIS);
    expect(redis).toBeUndefined();
    expect(venueSettings.get('kis')).toMatchObject({
      silenceTimeoutMs: 30_000,
      own: {
        useVirtualServer: false,
        tokenCacheTtl: 86_400_000,
        tokenRefreshBefore: 600_000,
        segment: 'KRX',
        leaseTtl: 30_000,
        sessionsOnly: false,
      },
    });
  });

  it('ask for keys exactly when a market of it is to be collected', async () => {
    expect((await settings(MARKETS)).markets).toHaveLength(1);
    expect(await faults({ MARKETS: '005930', VENUE: 'kis', KIS_API_KEY: 'an-app-key' })).toEqual([
      expect.stringMatching(/^KIS_API_SECRET \(not set\): .*apiportal.* and set KIS_API_SECRET in the environment/),
    ]);
    const both = { ...KIS, KIS_ACCOUNTS_FILE: '/run/secrets/kis' };
    expect(await faults(both)).toEqual([expect.stringMatching(/^KIS_ACCOUNTS_FILE .*beside KIS_API_KEY/)]);
  });

  it('know KIS_HEARTBEAT_INTERVAL as another name of KIS_SILENCE_TIMEOUT', async () => {
    const { venues: venueSettings } = await settings({ ...KIS, KIS_HEARTBEAT_INTERVAL: '45s' });
    expect(venueSettings.get('kis')?.silenceTimeoutMs).toBe(45_000);
    expect(await faults({ ...KIS, KIS_HEARTBEAT_INTERVAL: '45s', KIS_SILENCE_TIMEOUT: '30s' })).toEqual([
      expect.stringMatching(/KIS_SILENCE_TIMEOUT .*contradicts KIS_HEARTBEAT_INTERVAL .*give one of them$/),
    ]);
  });

  it('are refused where two heartbeats would not fit, and where KIS lets nobody in again so soon', async () => {
    const given = { KIS_SILENCE_TIMEOUT: '24s', KIS_RECONNECT_DELAY: '19s', KIS_RECONNECT_MAX_DELAY: '19s' };
    expect(await faults({ ...KIS, ...given })).toEqual([
      expect.stringMatching(/^KIS_RECONNECT_DELAY .*"19s" is not a duration from 20s /),
      expect.stringMatching(/^KIS_RECONNECT_MAX_DELAY .*"19s" is not a duration from 20s /),
      expect.stringMatching(/^KIS_SILENCE_TIMEOUT .*"24s" is not a duration from 25s /),
    ]);
  });

  it('are refused when they contradict each other', async () => {
    expect(
      await faults({
        ...KIS,
        KIS_TOKEN_CACHE_TTL: '15m',
        KIS_TOKEN_REFRESH_BEFORE: '10m',
        REDIS_PASSWORD: 'forgotten',
      }),
    ).toEqual([
      'REDIS_PASSWORD (environment): nothing would use it: REDIS_HOST is not set',
      'KIS_TOKEN_CACHE_TTL (environment): 15m is too short: expected at least twice KIS_TOKEN_REFRESH_BEFORE, which is 10m',
    ]);
  });

  it('lead to a Redis where one is named', async () => {
    const { redis } = await settings({ ...KIS, REDIS_HOST: 'redis.internal', REDIS_PASSWORD: 'its-password' });
    expect(redis).toEqual({ host: 'redis.internal', port: 6379, password: 'its-password' });
  });
});

describe('MARKETS', () => {
  const symbolsOf = async (environment: Readonly<Record<string, string>>) =>
    (await settings(environment)).markets.map(({ venue, symbols }) => [venue.driver.id, symbols]);

  it('are read by the venue, each code once, in the order given', async () => {
    expect(await symbolsOf({ MARKETS: 'upbit:krw-eth, upbit:KRW-BTC,UPBIT:KRW-ETH' })).toEqual([
      ['upbit', ['KRW-ETH', 'KRW-BTC']],
    ]);
  });

  it('need no prefix when VENUE names the venue, and a prefix wins over it', async () => {
    expect(await symbolsOf({ MARKETS: 'KRW-BTC,upbit:KRW-ETH', VENUE: 'upbit' })).toEqual([
      ['upbit', ['KRW-BTC', 'KRW-ETH']],
    ]);
  });

  it('are subscribed on each channel, once', async () => {
    const { markets } = await settings({
      MARKETS: 'upbit:KRW-BTC,upbit:KRW-ETH',
      MARKET_CHANNELS: 'orderbook,orderbook',
    });
    expect(markets.flatMap(({ subscriptions }) => subscriptions)).toEqual([
      { symbol: 'KRW-BTC', channel: 'orderbook' },
      { symbol: 'KRW-ETH', channel: 'orderbook' },
    ]);
    const [both] = (await settings(MARKETS)).markets;
    expect(both?.subscriptions.map(({ channel }) => channel)).toEqual(['tick', 'orderbook']);
  });

  it('that are wrong are all named, together with other faults', async () => {
    expect(
      await faults({ MARKETS: 'KRW-BTC,upbit:BTC-KRW,nasdaq:AAPL,upbit:,upbit:KRW-ETH', KAFKA_ACKS: 'some' }),
    ).toEqual([
      'KAFKA_ACKS (environment): "some" is not one of all, leader',
      'MARKETS (environment): "KRW-BTC" names no venue: write upbit:KRW-BTC, or give --venue upbit (there are: upbit, kis)',
      'MARKETS (environment): "upbit:BTC-KRW": "BTC-KRW" names the base first, Upbit the quote: did you mean KRW-BTC?',
      'MARKETS (environment): "nasdaq:AAPL": unknown venue "nasdaq"; expected one of: upbit, kis',
      'MARKETS (environment): "upbit:": "" is not an Upbit code: expected QUOTE-BASE, e.g. KRW-BTC',
    ]);
  });

  it('must be given, and a venue that there is not is refused', async () => {
    expect(await faults({ VENUE: 'nasdaq' })).toEqual([
      expect.stringMatching(/^MARKETS \(not set\): .*MARKETS=upbit:KRW-BTC,upbit:KRW-ETH or the flag --markets$/),
      `VENUE (environment): "nasdaq" is not one of ${Object.keys(venues).join(', ')}`,
    ]);
  });
});

describe('.env.example', () => {
  it('is what the schema generates', () => {
    expect(readFileSync(EXAMPLE, 'utf8'), `it is out of date; renew it by: ${REGENERATE}`).toBe(
      envExample(ingestionSchema),
    );
  });
});
