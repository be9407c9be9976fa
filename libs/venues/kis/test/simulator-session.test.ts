import { afterEach, describe, expect, it } from 'vitest';
import { acknowledgement, dataFrame, Host, pingPong, register, type HostOptions } from './simulator-host.js';

let host: Host;
let wall = 0;

afterEach(async () => {
  await host.stop();
});

async function start(options: HostOptions = {}): Promise<void> {
  wall = 0;
  host = await Host.start({ rate: 1_000, ...options, settings: { wall: () => wall, ...options.settings } });
}

describe('a session', () => {
  it.each(['/tryitout', '/tryitout/H0STCNT0', '/'])('opens on %s', async (path) => {
    await start();
    const client = await host.connect(path);
    client.send(register(await host.approvalKey(), 'H0STCNT0', '005930'));
    expect((await acknowledgement(client)).body.msg_cd).toBe('OPSP0000');
  });

  it('opens on no other path', async () => {
    await start();
    await expect(host.connect('/websocket/v1')).rejects.toThrow('404');
  });

  it('is one for an appkey, whichever approval key asks for the second', async () => {
    await start();
    const first = await host.connect();
    first.send(register(await host.approvalKey(), 'H0STCNT0', '005930'));
    await acknowledgement(first);

    const second = await host.connect();
    second.send(register(await host.approvalKey(), 'H0STCNT0', '005930'));
    expect(await acknowledgement(second)).toEqual({
      header: { tr_id: '(null)', tr_key: '', encrypt: 'N' },
      body: { rt_cd: '9', msg_cd: 'OPSP8996', msg1: 'ALREADY IN USE appkey' },
    });
    const other = await host.connect();
    other.send(register(await host.approvalKey('B'), 'H0STCNT0', '005930'));
    expect((await acknowledgement(other)).body.msg_cd).toBe('OPSP0000');
  });

  it('frees its key with a clean close', async () => {
    await start();
    const key = await host.approvalKey();
    const first = await host.connect();
    first.send(register(key, 'H0STCNT0', '005930'));
    await acknowledgement(first);
    first.socket.close(1000);
    await host.ended(1);
    const second = await host.connect();
    second.send(register(key, 'H0STCNT0', '005930'));
    expect((await acknowledgement(second)).body.msg_cd).toBe('OPSP0000');
  });

  it('holds its key for a while after an abrupt end, as a zombie', async () => {
    await start({ settings: { zombieMs: 30_000 } });
    const first = await host.connect();
    first.send(register(await host.approvalKey(), 'H0STCNT0', '005930'));
    await acknowledgement(first);
    first.socket.terminate();
    await host.ended(1);

    const second = await host.connect();
    const key = await host.approvalKey();
    second.send(register(key, 'H0STCNT0', '005930'));
    expect((await acknowledgement(second)).body.msg_cd).toBe('OPSP8996');
    wall += 30_000;
    second.send(register(key, 'H0STCNT0', '005930'));
    expect((await acknowledgement(second)).body.msg_cd).toBe('OPSP0000');
  });

  it('is refused with the echo of an approval key that is wrong, rejected or expired', async () => {
    await start();
    const client = await host.connect();
    const refused = async (key: string): Promise<string> => {
      client.send(register(key, 'H0STCNT0', '005930'));
      const { body } = await acknowledgement(client);
      expect(body).toMatchObject({ rt_cd: '9', msg_cd: 'OPSP0011' });
      return body.msg1;
    };
    expect(await refused('made-up')).toBe('invalid approval : made-up');
    expect(await refused('')).toBe('invalid approval : NOT FOUND');
    const key = await host.approvalKey();
    host.own('reject-approval-keys');
    expect(await refused(key)).toBe(`invalid approval : ${key}`);
    const old = await host.approvalKey();
    wall += 24 * 3_600_000;
    expect(await refused(old)).toBe(`invalid approval : ${old}`);
  });

  it('outlives its approval key', async () => {
    await start();
    const client = await host.connect();
    const key = await host.approvalKey();
    client.send(register(key, 'H0STCNT0', '005930'));
    await acknowledgement(client);
    wall += 25 * 3_600_000;
    client.send(register(key, 'H0STCNT0', '000660'));
    expect((await acknowledgement(client)).body.msg_cd).toBe('OPSP0000');
  });

  it('may find its approval key replaced by a newer one', async () => {
    await start({ settings: { newApprovalRevokesOld: true } });
    const old = await host.approvalKey();
    await host.approvalKey();
    const client = await host.connect();
    client.send(register(old, 'H0STCNT0', '005930'));
    expect((await acknowledgement(client)).body.msg_cd).toBe('OPSP0011');
  });
});

describe('a PINGPONG', () => {
  const pings = { pingEveryMs: 20 };

  it('carries the time of the venue and nothing else', async () => {
    const day = { date: '20261123', from: '090000', speed: 1 };
    await start({ settings: { ...pings, day } });
    const client = await host.connect();
    expect(await pingPong(client)).toBe('{"header":{"tr_id":"PINGPONG","datetime":"20261123090000"}}');
  });

  it('need not be answered unless the venue demands it', async () => {
    await start({ settings: pings });
    const client = await host.connect();
    for (let count = 0; count < 5; count += 1) await pingPong(client);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('costs the connection when its answers are demanded and do not come', async () => {
    await start({ settings: { ...pings, unansweredPings: 3 } });
    const client = await host.connect();
    expect(await client.rest()).toHaveLength(3);
    expect(await client.closed).toBe(1006);
  });

  it.each(['the same text', 'a pong frame'])('is answered by %s', async (how) => {
    await start({ settings: { ...pings, unansweredPings: 5 } });
    const client = await host.connect();
    for (let count = 0; count < 15; count += 1) {
      const ping = await pingPong(client);
      if (how === 'a pong frame') client.socket.pong(ping);
      else client.send(ping);
    }
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('stays away on request, while data flows on', async () => {
    await start({ settings: { pingEveryMs: 1 } });
    host.own('drop-pingpong', { on: true });
    const client = await host.connect();
    client.send(register(await host.approvalKey(), 'H0STCNT0', '005930'));
    await acknowledgement(client);
    const texts = await client.texts(200);
    expect(texts.filter((text) => text.includes('PINGPONG'))).toEqual([]);
    host.own('drop-pingpong', { on: false });
    await pingPong(client);
  });
});

describe('on request', () => {
  it('every key is in use by somebody else', async () => {
    await start();
    host.own('already-in-use', { on: true });
    const client = await host.connect();
    client.send(register(await host.approvalKey(), 'H0STCNT0', '005930'));
    expect((await acknowledgement(client)).body.msg_cd).toBe('OPSP8996');
  });

  it('clients are told that their key is in use, and closed', async () => {
    await start();
    const client = await host.connect();
    host.inject({ fault: 'refuse-clients' });
    expect((await acknowledgement(client)).body.msg_cd).toBe('OPSP8996');
    expect(await client.closed).toBe(1000);
  });

  it('acknowledgements come late, and data after them', async () => {
    await start();
    host.own('slow-acknowledgements', { ms: 60 });
    const client = await host.connect();
    const key = await host.approvalKey();
    const asked = performance.now();
    client.send(register(key, 'H0STCNT0', '005930'));
    const first = await client.nextText();
    expect(performance.now() - asked).toBeGreaterThan(55);
    expect(first).toContain('OPSP0000');
    expect((await dataFrame(client)).fields[0]).toBe('005930');
  });

  it('a fault that is not known is an error that says so', async () => {
    await start();
    expect(() => {
      host.own('earthquake');
    }).toThrow('KIS has no fault "earthquake"');
    expect(() => {
      host.own('zombies', { ms: -1 });
    }).toThrow('field ms of fault "zombies" is -1; expected a whole number, 0 or more');
  });
});
