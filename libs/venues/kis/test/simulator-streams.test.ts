import { createDecipheriv } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestClient } from '@aipx/venue-simulator/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createKisSimulator } from '../src/simulator/index.js';
import {
  acknowledgement,
  dataFrame,
  dataFrames,
  Host,
  register,
  type Acknowledgement,
  type HostOptions,
} from './simulator-host.js';

let host: Host;
let key = '';

afterEach(async () => {
  await host.stop();
});

async function connect(options: HostOptions = {}): Promise<TestClient> {
  host = await Host.start(options);
  key = await host.approvalKey();
  return host.connect();
}

async function ask(client: TestClient, transaction: string, symbol: string, type = '1'): Promise<Acknowledgement> {
  client.send(register(key, transaction, symbol, type));
  return acknowledgement(client);
}

async function code(client: TestClient, transaction: string, symbol: string, type = '1'): Promise<string> {
  const { body } = await ask(client, transaction, symbol, type);
  return `${body.rt_cd} ${body.msg_cd} ${body.msg1}`;
}

describe('a registration', () => {
  it('is acknowledged with an iv and a key, then its data comes in text frames', async () => {
    const client = await connect();
    const { header, body } = await ask(client, 'H0STCNT0', '005930');
    expect(header).toEqual({ tr_id: 'H0STCNT0', tr_key: '005930', encrypt: 'N' });
    expect(body).toMatchObject({ rt_cd: '0', msg_cd: 'OPSP0000', msg1: 'SUBSCRIBE SUCCESS' });
    expect(body.output?.iv).toMatch(/^[\x21-\x7e]{16}$/);
    expect(body.output?.key).toMatch(/^[\x21-\x7e]{32}$/);
    const { bytes, binary } = await client.next();
    expect(binary).toBe(false);
    expect(bytes.toString()).toMatch(/^0\|H0STCNT0\|\d{3}\|005930\^/);
  });

  it.each([
    ['H0STCNT0', 47],
    ['H0STASP0', 63],
    ['H0NXCNT0', 47],
    ['H0NXASP0', 62],
    ['H0UNCNT0', 47],
    ['H0UNASP0', 66],
  ])('of %s brings records of %i fields, several in a frame', async (transaction, width) => {
    const client = await connect();
    await ask(client, transaction, '005930');
    const frames = await dataFrames(client, 50);
    for (const frame of frames) {
      expect(frame).toMatchObject({ flag: '0', transaction });
      expect(frame.fields).toHaveLength(width * frame.count);
    }
    if (width === 47) expect(frames.some(({ count }) => count > 1)).toBe(true);
  });

  it('can bring records of older and of newer layouts', async () => {
    const client = await connect({ settings: { widths: { H0STCNT0: 46, H0STASP0: 70 } } });
    await ask(client, 'H0STCNT0', '005930');
    const trade = await dataFrame(client);
    expect(trade.fields).toHaveLength(46 * trade.count);
    await ask(client, 'H0STCNT0', '005930', '2');
    await ask(client, 'H0STASP0', '005930');
    expect((await dataFrame(client)).fields).toHaveLength(70);
  });

  it('a second time, an unknown stream and an unknown code have answers of their own', async () => {
    const client = await connect();
    await ask(client, 'H0STMKO0', '005930');
    expect(await code(client, 'H0STMKO0', '005930')).toBe('1 OPSP0002 ALREADY IN SUBSCRIBE');
    expect(await code(client, 'H0XXXXX0', '005930')).toBe('1 OPSP8991 invalid tr_id');
    expect(await code(client, 'H0STCNT0', '999999')).toBe('1 OPSP8992 invalid tr_key');
    expect(await code(client, 'H0STMKO0', '000660', '2')).toBe('1 OPSP0003 UNSUBSCRIBE ERROR(not found!)');
    expect(await code(client, 'H0STMKO0', '005930', '2')).toBe('0 OPSP0001 UNSUBSCRIBE SUCCESS');
    expect(await code(client, 'H0STMKO0', '005930')).toBe('0 OPSP0000 SUBSCRIBE SUCCESS');
  });

  it('ends the data when it is taken back', async () => {
    const client = await connect({ rate: 2_000 });
    await ask(client, 'H0STCNT0', '005930');
    await dataFrame(client);
    await ask(client, 'H0STCNT0', '005930', '2');
    await ask(client, 'H0STCNT0', '000660');
    const frames = await dataFrames(client, 100);
    expect(new Set(frames.map(({ fields }) => fields[0]))).toEqual(new Set(['000660']));
  });

  it('is refused from the 42nd on, all streams together, until a place is free', async () => {
    const client = await connect({ rate: 1 });
    const symbols = createKisSimulator().symbols.slice(0, 42);
    for (const symbol of symbols.slice(0, 41)) expect((await ask(client, 'H0STMKO0', symbol)).body.rt_cd).toBe('0');
    expect(await code(client, 'H0STCNT0', symbols[0] ?? '')).toBe('1 OPSP0008 MAX SUBSCRIBE OVER');
    await ask(client, 'H0STMKO0', symbols[0] ?? '', '2');
    expect(await code(client, 'H0STCNT0', symbols[0] ?? '')).toBe('0 OPSP0000 SUBSCRIBE SUCCESS');
  });

  it('is refused earlier, or with any answer of the table, on request', async () => {
    const client = await connect({ rate: 1 });
    host.own('max-registrations', { count: 1 });
    await ask(client, 'H0STMKO0', '005930');
    expect((await ask(client, 'H0STMKO0', '000660')).body.msg_cd).toBe('OPSP0008');
    host.own('answer', { code: 'OPSP0007', count: 1 });
    expect(await code(client, 'H0STMKO0', '000660')).toBe('1 OPSP0007 SUBSCRIBE INTERNAL ERROR');
  });

  it('of one stream gets another answer on request, and those of others do not', async () => {
    const client = await connect({ rate: 1 });
    host.own('answer', { code: 'OPSP0007', count: 2, stream: 'H0STCNT0 005930' });
    const asked = ['000660', '005930', '005930', '005930'];
    const codes = [];
    for (const symbol of asked) codes.push((await ask(client, 'H0STCNT0', symbol)).body.msg_cd);
    expect(codes).toEqual(['OPSP0000', 'OPSP0007', 'OPSP0007', 'OPSP0000']);
  });

  it('is never seen on request, or its answer never arrives though what it says holds', async () => {
    const client = await connect({ rate: 1 });
    host.own('lose-requests', { count: 1 });
    client.send(register(key, 'H0STMKO0', '005930'));
    expect(await code(client, 'H0STMKO0', '005930')).toBe('0 OPSP0000 SUBSCRIBE SUCCESS');
    host.own('lose-acknowledgements', { count: 1 });
    client.send(register(key, 'H0STMKO0', '005930', '2'));
    expect(await code(client, 'H0STMKO0', '005930', '2')).toBe('1 OPSP0003 UNSUBSCRIBE ERROR(not found!)');
  });

  it('that is muted brings nothing until it is made anew', async () => {
    const client = await connect({ rate: 2_000 });
    await ask(client, 'H0STCNT0', '005930');
    await ask(client, 'H0STCNT0', '000660');
    host.own('mute', { stream: 'H0STCNT0 005930' });
    // What was on its way when it was muted comes first.
    await ask(client, 'H0STCNT0', '000660');
    const symbols = (await dataFrames(client, 100)).map(({ fields }) => fields[0]);
    expect(new Set(symbols)).toEqual(new Set(['000660']));
    await ask(client, 'H0STCNT0', '005930', '2');
    await ask(client, 'H0STCNT0', '005930');
    const again = (await dataFrames(client, 100)).map(({ fields }) => fields[0]);
    expect(again).toContain('005930');
  });

  it.each([
    ['{"header":', 'OPSP9999'],
    ['{}', 'OPSP9998'],
    ['{"header":{"tr_type":"1"}}', 'OPSP9997'],
    ['{"header":{"tr_type":"1","custtype":"X"}}', 'OPSP8998'],
    ['{"header":{"tr_type":"0","custtype":"P"}}', 'OPSP8997'],
    ['{"header":{"tr_type":"1","custtype":"P"}}', 'OPSP9992'],
    ['{"header":{"tr_type":"1","custtype":"P"},"body":{}}', 'OPSP9991'],
    ['{"header":{"tr_type":"1","custtype":"P"},"body":{"input":{"tr_id":"H0STCNT0"}}}', 'OPSP9990'],
  ])('that is no request is answered: %s', async (text, expected) => {
    const client = await connect();
    client.send(text);
    expect((await acknowledgement(client)).body.msg_cd).toBe(expected);
  });
});

describe('data', () => {
  it('can be encrypted with what the acknowledgement handed over', async () => {
    const client = await connect({ settings: { encrypted: true } });
    const { header, body } = await ask(client, 'H0STCNT0', '005930');
    expect(header['encrypt']).toBe('Y');
    const { flag, count, fields } = await dataFrame(client);
    const decipher = createDecipheriv('aes-256-cbc', body.output?.key ?? '', body.output?.iv ?? '');
    const text = decipher.update(fields.join('^'), 'base64', 'utf8') + decipher.final('utf8');
    expect(flag).toBe('1');
    expect(text.split('^')).toHaveLength(47 * count);
    expect(text).toMatch(/^005930\^\d{6}\^/);
  });

  it('has one key and iv a stream and connection, whatever the symbol', async () => {
    const client = await connect();
    const outputs = [];
    for (const [transaction, symbol] of [
      ['H0STCNT0', '005930'],
      ['H0STCNT0', '000660'],
      ['H0STASP0', '005930'],
    ] as const) {
      outputs.push((await ask(client, transaction, symbol)).body.output);
    }
    const [trades, others, books] = outputs;
    expect(others).toEqual(trades);
    expect(books).not.toEqual(trades);
  });

  it('can say (null) where the venue has no value', async () => {
    const client = await connect({ settings: { missing: '(null)' } });
    await ask(client, 'H0STCNT0', '005930');
    expect((await dataFrame(client)).fields[44]).toBe('(null)');
  });

  it('carries bytes that are no UTF-8 on request', async () => {
    const client = await connect({ rate: 500 });
    client.socket.on('error', () => undefined);
    host.own('invalid-utf8', { count: 1 });
    await ask(client, 'H0STCNT0', '005930');
    // A strict client breaks the connection over it, which is what makes the fault worth having.
    expect(await client.closed).toBe(1006);
  });

  it.each(['narrow', 'uneven', 'no-count', 'undecryptable'])('is broken on request: %s', async (kind) => {
    const client = await connect();
    host.inject({ fault: 'garbage', kind });
    expect(await client.nextText()).toMatch(/^[01]\|H0STCNT0\|/);
  });

  it('tells of the halts of a symbol and of the session on the market-operation stream', async () => {
    const halts = [{ code: '005930', from: '100000', to: '100200', kind: 'vi' }] as const;
    const day = { date: '20261123', from: '085900', speed: 360_000 };
    const client = await connect({ settings: { day, halts, wall: () => 0 } });
    await ask(client, 'H0STMKO0', '005930');
    const frames = await dataFrames(client, 4);
    expect(frames.map(({ transaction, fields }) => `${transaction} ${fields.join('^')}`)).toEqual([
      'H0STMKO0 005930^N^(null)^^112^^^55^N^N',
      'H0STMKO0 005930^N^(null)^^^^^55^Y^N',
      'H0STMKO0 005930^N^(null)^^^^^55^N^N',
      'H0STMKO0 005930^N^(null)^^121^^^55^N^N',
    ]);
  });

  it('is journaled with the volume of each record, of those that were left out too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kis-simulator-'));
    try {
      const journal = join(folder, 'sent.jsonl');
      const client = await connect({ journal, rate: 2_000 });
      host.own('lose-records', { count: 3 });
      host.own('repeat-records', { count: 2 });
      await ask(client, 'H0STCNT0', '005930');
      const received = await dataFrames(client, 30);
      await host.finish();
      const lines = (await readFile(journal, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
      const records = lines.flatMap((line) => line.records);
      const volumes = records.filter(({ fate }) => fate !== 'lost').map(({ cumulative }) => String(cumulative));
      const seen = received.flatMap(({ fields }) => fields.filter((_, at) => at % 47 === 13));
      expect(volumes.slice(0, seen.length)).toEqual(seen);
      expect(records.slice(0, 3).map(({ fate }) => fate)).toEqual(['lost', 'lost', 'lost']);
      expect(records.filter(({ fate }) => fate === 'repeated')).toHaveLength(2);
      expect(lines[0]).toMatchObject({ symbol: '005930', channel: 'tick', segment: 'KRX', snapshot: false });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

interface Line {
  readonly records: readonly { readonly fate: string; readonly cumulative: number }[];
}
