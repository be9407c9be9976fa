import { startVenueSimulator, type VenueSimulator } from '@aipx/venue-simulator';
import { TestClient } from '@aipx/venue-simulator/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { UpbitTimings } from './connection.js';
import { createUpbitSimulator, upbitSimulator } from './venue.js';

let simulator: VenueSimulator | undefined;

afterEach(async () => {
  await simulator?.stop();
  simulator = undefined;
});

type Wire = Readonly<Record<string, unknown>>;

async function connect(timings: Partial<UpbitTimings> = {}): Promise<TestClient> {
  simulator = await startVenueSimulator({
    venue: createUpbitSimulator({ closeAfterErrorMs: 1, ...timings }),
    source: { kind: 'market', seed: 1, rate: 'max' },
    signal: new AbortController().signal,
  });
  return TestClient.connect(simulator.websocketUrl);
}

const request = (...parts: readonly unknown[]): unknown => [{ ticket: 'test' }, ...parts];
const trades = (...codes: readonly string[]): unknown => ({ type: 'trade', codes });
const books = (...codes: readonly string[]): unknown => ({ type: 'orderbook', codes });

async function messages(client: TestClient, count: number): Promise<Wire[]> {
  return (await client.texts(count)).map((text) => JSON.parse(text) as Wire);
}

async function firstWhere(client: TestClient, wanted: (message: Wire) => boolean): Promise<Wire> {
  for (;;) {
    const [message] = await messages(client, 1);
    if (message !== undefined && wanted(message)) return message;
  }
}

describe('a subscription', () => {
  it('is answered with one snapshot a stream, then in real time, in binary frames', async () => {
    const client = await connect();
    client.send(request(trades('KRW-BTC', 'BTC-ETH'), books('KRW-BTC')));
    const first = await client.next();
    expect(first.binary).toBe(true);
    const seen = [JSON.parse(first.bytes.toString('utf8')) as Wire, ...(await messages(client, 99))];
    expect(
      seen.slice(0, 3).map(({ type, code, stream_type }) => `${String(type)} ${String(code)} ${String(stream_type)}`),
    ).toEqual(['trade KRW-BTC SNAPSHOT', 'trade BTC-ETH SNAPSHOT', 'orderbook KRW-BTC SNAPSHOT']);
    expect(new Set(seen.slice(3).map(({ stream_type }) => stream_type))).toEqual(new Set(['REALTIME']));
    expect(new Set(seen.slice(3).map(({ type, code }) => `${String(type)} ${String(code)}`)).size).toBe(3);
  });

  it('ignores unknown and lower-case codes without a word', async () => {
    const client = await connect();
    client.send(request(trades('KRW-NOPE', 'krw-btc', 'KRW-XRP')));
    expect(new Set((await messages(client, 50)).map(({ code }) => code))).toEqual(new Set(['KRW-XRP']));
  });

  it('replaces the one before as a whole', async () => {
    const client = await connect();
    client.send(request(trades('KRW-BTC'), books('KRW-ETH')));
    await client.texts(10);
    client.send(request(trades('KRW-SOL')));
    await firstWhere(client, ({ code }) => code === 'KRW-SOL');
    expect(new Set((await messages(client, 200)).map(({ code }) => code))).toEqual(new Set(['KRW-SOL']));
  });

  it('may let two messages of the one before through, when asked to', async () => {
    const client = await connect({ trailingMessages: 2 });
    client.send(request(trades('KRW-BTC')));
    await client.texts(10);
    client.send(request(trades('KRW-SOL')));
    await firstWhere(client, ({ code, stream_type }) => code === 'KRW-SOL' && stream_type === 'SNAPSHOT');
    expect((await messages(client, 300)).filter(({ code }) => code === 'KRW-BTC')).toHaveLength(2);
  });

  it.each(['is_only_snapshot', 'isOnlySnapshot'])('with %s is answered once', async (flag) => {
    const client = await connect();
    client.send(request({ type: 'orderbook', codes: ['KRW-BTC'], [flag]: true }, trades('KRW-ETH')));
    const seen = await messages(client, 100);
    expect(seen.filter(({ type }) => type === 'orderbook').map(({ stream_type }) => stream_type)).toEqual(['SNAPSHOT']);
  });

  it('with is_only_realtime has no snapshot', async () => {
    const client = await connect();
    client.send(request({ type: 'trade', codes: ['KRW-BTC'], is_only_realtime: true }));
    expect((await messages(client, 20)).filter(({ stream_type }) => stream_type === 'SNAPSHOT')).toEqual([]);
  });

  it('to types that are not simulated is accepted and stays silent', async () => {
    const client = await connect();
    client.send(
      request({ type: 'ticker', codes: ['KRW-BTC'] }, { type: 'candle.1m', codes: ['KRW-BTC'] }, trades('KRW-XRP')),
    );
    expect(new Set((await messages(client, 20)).map(({ type }) => type))).toEqual(new Set(['trade']));
  });
});

describe('a book message', () => {
  it.each([
    ['KRW-BTC', 30],
    ['KRW-BTC.1', 1],
    ['KRW-BTC.5', 5],
    ['KRW-BTC.15', 15],
    ['KRW-BTC.30', 30],
    ['KRW-BTC.20', 30],
  ])('for %s has %d units and the plain code', async (code, units) => {
    const client = await connect();
    client.send(request(books(code)));
    for (const message of await messages(client, 5)) {
      expect(message['code']).toBe('KRW-BTC');
      expect(message['orderbook_units']).toHaveLength(units);
    }
  });

  it('sums its own sizes, asks above bids, and pads the short side of a thin pair with zeros', async () => {
    const client = await connect();
    client.send(request(books('BTC-DGB.15', 'KRW-XRP.15'), { format: 'SIMPLE' }));
    let padded = 0;
    for (const text of await client.texts(400)) {
      const { tas, tbs, obu, cd } = JSON.parse(text) as {
        tas: number;
        tbs: number;
        cd: string;
        obu: Record<string, number>[];
      };
      const column = (key: string): number[] => obu.map((unit) => unit[key] ?? Number.NaN);
      expect(sum(column('as'))).toBeCloseTo(tas, 6);
      expect(sum(column('bs'))).toBeCloseTo(tbs, 6);
      const [asks, bids] = [column('ap').filter(Boolean), column('bp').filter(Boolean)];
      expect([...bids].reverse().concat(asks)).toEqual([...bids, ...asks].sort((a, b) => a - b));
      for (const unit of obu) {
        expect(unit['ap'] === 0).toBe(unit['as'] === 0);
        expect(unit['bp'] === 0).toBe(unit['bs'] === 0);
      }
      if (asks.length !== bids.length) padded += 1;
      if (cd === 'KRW-XRP') expect(asks.length + bids.length).toBe(30);
    }
    expect(padded).toBeGreaterThan(0);
  });

  it('comes never for a grouping level that is not supported', async () => {
    const client = await connect();
    client.send(request({ type: 'orderbook', codes: ['KRW-BTC'], level: 7 }, trades('KRW-BTC')));
    expect((await messages(client, 50)).filter(({ type }) => type === 'orderbook')).toEqual([]);
  });
});

describe('a trade message', () => {
  it('is made at the best price it names, with absolute change and an id above 2^53', async () => {
    const client = await connect();
    client.send(request(trades('KRW-BTC', 'BTC-ETH')));
    for (const text of await client.texts(300)) {
      const message = JSON.parse(text) as Record<string, number> & { change: string; ask_bid: string };
      expect(text).toMatch(/"sequential_id":\d{17},/);
      expect(message['trade_price']).toBe(message[message.ask_bid === 'BID' ? 'best_ask_price' : 'best_bid_price']);
      expect(message['best_bid_price']).toBeLessThan(message['best_ask_price'] ?? 0);
      const change = (message['trade_price'] ?? 0) - (message['prev_closing_price'] ?? 0);
      expect(message['change_price']).toBeCloseTo(Math.abs(change), 8);
      expect(message.change).toBe(Math.abs(change) < 1e-9 ? 'EVEN' : change > 0 ? 'RISE' : 'FALL');
    }
  });

  it('names the UTC date and time of its execution, which is before its publication', async () => {
    const client = await connect();
    client.send(request(trades('KRW-BTC')));
    const [message] = (await messages(client, 1)) as [
      Record<string, string> & Record<'trade_timestamp' | 'timestamp', number>,
    ];
    expect(`${message['trade_date'] ?? ''}T${message['trade_time'] ?? ''}`).toBe(
      new Date(message.trade_timestamp).toISOString().slice(0, 19),
    );
    expect(message.trade_timestamp).toBeLessThan(message.timestamp);
  });
});

describe('the formats', () => {
  const fields = {
    trade:
      'type code timestamp trade_date trade_time trade_timestamp trade_price trade_volume ask_bid prev_closing_price change change_price sequential_id best_ask_price best_ask_size best_bid_price best_bid_size stream_type',
    simpleTrade: 'ty cd tms td ttm ttms tp tv ab pcp c cp sid bap bas bbp bbs st',
    orderbook: 'type code timestamp total_ask_size total_bid_size orderbook_units stream_type level',
    simpleOrderbook: 'ty cd tms tas tbs obu st lv',
  };

  it.each([
    ['DEFAULT', fields.trade, fields.orderbook],
    ['SIMPLE', fields.simpleTrade, fields.simpleOrderbook],
    ['JSON_LIST', fields.trade, fields.orderbook],
    ['SIMPLE_LIST', fields.simpleTrade, fields.simpleOrderbook],
  ])('%s has its documented names, in an order that differs', async (format, trade, orderbook) => {
    const client = await connect();
    client.send(request(trades('KRW-BTC'), books('KRW-BTC'), { format }));
    const texts = await client.texts(2000);
    expect(texts.every((text) => text.startsWith('[') === format.endsWith('LIST'))).toBe(true);
    const orders = new Map<string, Set<string>>();
    for (const text of texts) {
      const parsed = JSON.parse(text) as Wire | [Wire];
      const keys = Object.keys(Array.isArray(parsed) ? parsed[0] : parsed);
      const sorted = [...keys].sort().join(' ');
      orders.set(sorted, (orders.get(sorted) ?? new Set()).add(keys.join(' ')));
    }
    expect([...orders.keys()].sort()).toEqual([sortedNames(trade), sortedNames(orderbook)].sort());
    for (const seen of orders.values()) expect(seen.size).toBe(2);
  });

  it('spell numbers as the wire does: exponents for large prices in DEFAULT, for small sizes in SIMPLE', async () => {
    const client = await connect();
    client.send(request(trades('KRW-BTC', 'BTC-ETH'), books('KRW-BTC')));
    const plain = (await client.texts(300)).join('\n');
    expect(plain).toMatch(/"ask_price":1\.\d+E8,/);
    expect(plain).toMatch(/"trade_price":\d+\.0,/);
    expect(plain).toMatch(/"ask_size":0\.\d{7}0[,}]/);
    expect(plain).toMatch(/"trade_volume":\d(\.\d+)?e-0\d,/);
    client.send(request(trades('BTC-ETH'), books('KRW-BTC'), { format: 'SIMPLE' }));
    const simple = (await client.texts(600)).filter((text) => text.includes('"ty":')).join('\n');
    expect(simple).toMatch(/"ap":\d{9},/);
    expect(simple).toMatch(/"[ab]s":\d\.\d+E-\d/);
    expect(simple).toMatch(/"cp":\dE-8,/);
  });
});

describe('what is not a subscription', () => {
  it.each([
    ['not json', 'WRONG_FORMAT'],
    ['{"ticket":"t"}', 'WRONG_FORMAT'],
    ['[1]', 'WRONG_FORMAT'],
    ['[]', 'NO_TICKET'],
    ['[{"ticket":""},{"type":"trade","codes":["KRW-BTC"]}]', 'NO_TICKET'],
    ['[{"type":"trade","codes":["KRW-BTC"]}]', 'NO_TICKET'],
    ['[{"ticket":"t"}]', 'NO_TYPE'],
    ['[{"ticket":"t"},{"type":"trade"}]', 'NO_CODES'],
    ['[{"ticket":"t"},{"type":"trade","codes":[]}]', 'NO_CODES'],
    ['[{"ticket":"t"},{"type":"nope","codes":["KRW-BTC"]}]', 'INVALID_PARAM'],
    ['[{"ticket":"t"},{"type":"trade","codes":["KRW-BTC"]},{"format":"XML"}]', 'INVALID_PARAM'],
    ['[{"ticket":"t"},{"type":"trade","codes":"KRW-BTC"}]', 'INVALID_PARAM'],
    ['[{"ticket":"t"},{"format":{"toString":1}}]', 'INVALID_PARAM'],
    ['[{"ticket":"t"},{"type":{"toString":1}}]', 'INVALID_PARAM'],
    ['[{"ticket":"t"},{"type":"orderbook","codes":["KRW-BTC"],"level":{"toString":1}}]', 'INVALID_PARAM'],
  ])('%s is answered with %s and closed with 1000', async (text, name) => {
    const client = await connect();
    client.send(text);
    const { error } = JSON.parse(await client.nextText()) as { error: { name: string; message: string } };
    expect(error.name).toBe(name);
    expect(error.message).not.toBe('');
    expect(await client.closed).toBe(1000);
    expect(await client.rest()).toEqual([]);
  });

  it('ends running streams, too', async () => {
    const client = await connect();
    client.send(request(trades('KRW-BTC')));
    await client.texts(5);
    client.send('nonsense');
    const last = (await client.rest()).at(-1);
    expect(last).toContain('WRONG_FORMAT');
  });

  it('lists the subscription, in its names and its format', async () => {
    const client = await connect();
    client.send(request({ type: 'orderbook', codes: ['KRW-BTC.5', 'KRW-NOPE'], is_only_snapshot: true }));
    await client.next();
    client.send([{ ticket: 'list' }, { method: 'LIST_SUBSCRIPTIONS' }]);
    expect(JSON.parse(await client.nextText())).toEqual({
      method: 'LIST_SUBSCRIPTIONS',
      result: [{ type: 'orderbook', codes: ['KRW-BTC.5', 'KRW-NOPE'], level: 0 }],
      ticket: 'list',
    });
    client.send([{ ticket: 'list' }, { method: 'LIST_SUBSCRIPTIONS' }, { format: 'SIMPLE' }]);
    expect(JSON.parse(await client.nextText())).toEqual({
      mthd: 'LIST_SUBSCRIPTIONS',
      rslt: [{ ty: 'orderbook', cds: ['KRW-BTC.5', 'KRW-NOPE'], lv: 0 }],
      tckt: 'list',
    });
  });

  it('switches the format of running streams with the list', async () => {
    const client = await connect();
    client.send(request(trades('KRW-BTC')));
    await client.texts(5);
    client.send([{ ticket: 'list' }, { method: 'LIST_SUBSCRIPTIONS' }, { format: 'SIMPLE' }]);
    await firstWhere(client, (message) => 'mthd' in message);
    expect((await messages(client, 50)).every(({ ty }) => ty === 'trade')).toBe(true);
  });

  it('a text PING is answered with a status again and again', async () => {
    const client = await connect({ statusEveryMs: 5 });
    client.send('PING');
    client.send('PING');
    expect(await client.texts(3)).toEqual(Array(3).fill('{"status":"UP"}'));
  });
});

describe('the venue’s times', () => {
  it('are those of the wire by default', async () => {
    const client = await connect({ idleLimitMs: 10 });
    expect(await client.closed).toBe(1006);
    expect(upbitSimulator.idleLimitMs).toBe(60_000);
  });
});

describe('the REST calls', () => {
  const get = async (path: string): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${simulator?.apiUrl ?? ''}${path}`);
    return { status: answer.status, body: await answer.json() };
  };

  it('list every pair, with details on request', async () => {
    await connect();
    const { body } = (await get('/market/all')) as { body: Record<string, string>[] };
    expect(body.map(({ market }) => market)).toEqual(upbitSimulator.symbols);
    expect(body[0]).toEqual({ market: 'KRW-BTC', korean_name: '비트코인', english_name: 'Bitcoin' });
    const { body: detailed } = (await get('/market/all?is_details=true')) as { body: Record<string, unknown>[] };
    expect(detailed[0]).toMatchObject({ market_event: { warning: false, caution: { PRICE_FLUCTUATIONS: false } } });
  });

  it('know the tick of a pair, in lower case, too', async () => {
    await connect();
    expect((await get('/orderbook/instruments?markets=krw-btc,BTC-ETH')).body).toEqual([
      { market: 'KRW-BTC', quote_currency: 'KRW', tick_size: '1000', supported_levels: ['0'] },
      { market: 'BTC-ETH', quote_currency: 'BTC', tick_size: '0.00000001', supported_levels: ['0'] },
    ]);
  });

  it.each([
    ['/orderbook/instruments', 400, 'Missing request parameter error. Check the required parameters!'],
    ['/orderbook/instruments?markets=KRW-NOPE', 404, 'Code not found'],
    ['/nothing', 404, 'no Route matched with those values'],
  ])('%s answers %d in the documented envelope', async (path, status, message) => {
    await connect();
    expect(await get(path)).toEqual({ status, body: { error: { name: status, message } } });
  });
});

describe('recorded frames', () => {
  it.each([
    ['{"ty":"trade","cd":"KRW-LAMB","tms":1}', true, ['KRW-LAMB']],
    ['{"code":"BTC-FCT2","type":"orderbook"}', true, ['BTC-FCT2']],
    ['[{"ty":"trade","cd":"KRW-A"},{"ty":"trade","cd":"KRW-B"}]', true, ['KRW-A', 'KRW-B']],
    ['{"type":"ticker","code":"KRW-BTC"}', true, ['KRW-BTC']],
    ['{"ty":"trade","cd":"KRW-', true, []],
    ['', true, []],
    ['{"status":"UP"}', false, []],
    ['{"error":{"name":"NO_TICKET","message":""}}', false, []],
    ['{"method":"LIST_SUBSCRIPTIONS","result":[],"ticket":"t"}', false, []],
  ])('%j: data %j, codes %j', (frame, data, symbols) => {
    expect(upbitSimulator.isData(frame)).toBe(data);
    expect(upbitSimulator.symbolsIn(frame)).toEqual(symbols);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sortedNames(names: string): string {
  return names.split(' ').sort().join(' ');
}
