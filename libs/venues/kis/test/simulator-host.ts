import { startVenueSimulator, type ConnectionChange, type Fault, type VenueSimulator } from '@aipx/venue-simulator';
import { TestClient } from '@aipx/venue-simulator/testing';
import { createKisSimulator, type KisSimulatorSettings } from '../src/simulator/index.js';

export interface Acknowledgement {
  readonly header: Readonly<Record<string, string>>;
  readonly body: {
    readonly rt_cd: string;
    readonly msg_cd: string;
    readonly msg1: string;
    readonly output?: { readonly iv: string; readonly key: string };
  };
}

/** A data frame, taken apart by hand. */
export interface DataFrame {
  readonly flag: string;
  readonly transaction: string;
  readonly count: number;
  readonly fields: readonly string[];
}

export interface HostOptions {
  readonly settings?: KisSimulatorSettings;
  readonly rate?: number | 'max';
  readonly journal?: string;
}

/** The simulated venue behind real sockets, and what a test does with it. */
export class Host {
  readonly #simulator: VenueSimulator;
  readonly #changes: ConnectionChange[];

  private constructor(simulator: VenueSimulator, changes: ConnectionChange[]) {
    this.#simulator = simulator;
    this.#changes = changes;
  }

  static async start({ settings = {}, rate = 'max', journal }: HostOptions = {}): Promise<Host> {
    const changes: ConnectionChange[] = [];
    const simulator = await startVenueSimulator({
      venue: createKisSimulator(settings),
      source: { kind: 'market', seed: 1, rate },
      ...(journal !== undefined && { journal: { path: journal, frames: true } }),
      onConnection: (change) => changes.push(change),
      signal: new AbortController().signal,
    });
    return new Host(simulator, changes);
  }

  inject(fault: Fault): void {
    this.#simulator.inject(fault);
  }

  own(name: string, fields: object = {}): void {
    this.inject({ fault: 'venue', own: { name, ...fields } });
  }

  stop(): Promise<void> {
    return this.#simulator.stop();
  }

  finish(): Promise<void> {
    return this.#simulator.finish();
  }

  async approvalKey(appkey = 'A'): Promise<string> {
    const response = await fetch(`${this.#simulator.apiUrl}/oauth2/Approval`, {
      method: 'POST',
      body: JSON.stringify({ grant_type: 'client_credentials', appkey, secretkey: 'S' }),
    });
    return ((await response.json()) as { approval_key: string }).approval_key;
  }

  /** The first page of the calendar, from a date on. */
  async holidays(from: string): Promise<{ readonly body: string; readonly continuation: string }> {
    const customer = { appkey: 'A', appsecret: 'S' };
    const issued = await fetch(`${this.#simulator.apiUrl}/oauth2/tokenP`, {
      method: 'POST',
      body: JSON.stringify({ grant_type: 'client_credentials', ...customer }),
    });
    const { access_token: token } = (await issued.json()) as { access_token: string };
    const query = `BASS_DT=${from}&CTX_AREA_FK=&CTX_AREA_NK=`;
    const response = await fetch(`${this.#simulator.apiUrl}/uapi/domestic-stock/v1/quotations/chk-holiday?${query}`, {
      headers: { ...customer, authorization: `Bearer ${token}`, tr_id: 'CTCA0903R' },
    });
    return { body: await response.text(), continuation: response.headers.get('tr_cont') ?? '' };
  }

  connect(path = '/tryitout'): Promise<TestClient> {
    return TestClient.connect(new URL(path, this.#simulator.websocketUrl).href);
  }

  /** The venue has seen the end of so many connections. */
  async ended(count: number): Promise<void> {
    while (this.#changes.filter(({ event }) => event === 'ended').length < count) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

export function register(approvalKey: string, transaction: string, symbol: string, type = '1'): unknown {
  return {
    header: { approval_key: approvalKey, custtype: 'P', tr_type: type, 'content-type': 'utf-8' },
    body: { input: { tr_id: transaction, tr_key: symbol } },
  };
}

/** The next control message that is no PINGPONG. */
export async function acknowledgement(client: TestClient): Promise<Acknowledgement> {
  return JSON.parse(
    await nextWhere(client, (text) => text.startsWith('{') && !text.includes('PINGPONG')),
  ) as Acknowledgement;
}

export async function pingPong(client: TestClient): Promise<string> {
  return nextWhere(client, (text) => text.includes('PINGPONG'));
}

export async function dataFrame(client: TestClient): Promise<DataFrame> {
  const text = await nextWhere(client, (candidate) => /^[01]\|/.test(candidate));
  const [flag = '', transaction = '', count = '', payload = ''] = text.split('|');
  return { flag, transaction, count: Number(count), fields: payload.split('^') };
}

export async function dataFrames(client: TestClient, count: number): Promise<DataFrame[]> {
  const frames: DataFrame[] = [];
  while (frames.length < count) frames.push(await dataFrame(client));
  return frames;
}

async function nextWhere(client: TestClient, wanted: (text: string) => boolean): Promise<string> {
  for (;;) {
    const text = await client.nextText();
    if (wanted(text)) return text;
  }
}
