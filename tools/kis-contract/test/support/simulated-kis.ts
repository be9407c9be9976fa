import type { RestAnswer, RestRequest, SimulatedClient, SimulatedVenue } from '@aipx/venue/simulation';
import { createKisSimulator, type KisSimulatorSettings } from '@aipx/venue-kis/simulator';
import { startVenueSimulator } from '@aipx/venue-simulator';

/** As long as those that KIS issues. */
export const ACCOUNT = {
  appkey: `PScontract${'k'.repeat(26)}`,
  appsecret: `contractSecret+/${'s'.repeat(163)}=`,
};

export interface SimulatedKisOptions extends KisSimulatorSettings {
  /** Frames a second. @default 400 */
  readonly rate?: number;
  /** Faults from the beginning on, in the simulator's words. */
  readonly faults?: readonly Readonly<Record<string, unknown>>[];
  /** Answers something else than the simulator would. */
  readonly rest?: (request: RestRequest, answer: RestAnswer) => RestAnswer;
  /** Hangs up after the first acknowledgement. */
  readonly hangsUp?: boolean;
}

/** Stops when its block is left. */
export interface SimulatedKis extends AsyncDisposable {
  /** The environment of a run against it. */
  readonly settings: Readonly<Record<string, string>>;
  /** Every secret that it has handed out, and those of the account. */
  readonly secrets: ReadonlySet<string>;
  /** How its connections ended. */
  readonly closes: readonly number[];
}

/** KIS on this machine. */
export async function simulatedKis(options: SimulatedKisOptions = {}): Promise<SimulatedKis> {
  const { rate = 400, faults = [], rest = (_, answer) => answer, hangsUp = false, ...settings } = options;
  const venue = createKisSimulator({ accounts: [ACCOUNT], pingEveryMs: 300, ...settings });
  const secrets = new Set([ACCOUNT.appkey, ACCOUNT.appsecret]);
  const closes: number[] = [];
  const overheard = (text: string) => {
    for (const [, secret = ''] of text.matchAll(SECRET)) secrets.add(secret);
  };
  const hosted: SimulatedVenue = {
    ...venue,
    rest: (request) => {
      const answer = rest(request, venue.rest(request));
      overheard(answer.body);
      return answer;
    },
    accept: (client, listed) => {
      const connection = venue.accept(tapped(client, overheard, hangsUp), listed);
      const onEnd = connection.onEnd?.bind(connection);
      connection.onEnd = (code) => {
        closes.push(code);
        onEnd?.(code);
      };
      return connection;
    },
  };
  const simulator = await startVenueSimulator({
    venue: hosted,
    source: { kind: 'market', seed: 1, rate },
    signal: new AbortController().signal,
  });
  for (const own of faults) simulator.inject({ fault: 'venue', own });
  return {
    settings: {
      KIS_API_KEY: ACCOUNT.appkey,
      KIS_API_SECRET: ACCOUNT.appsecret,
      KIS_API_URL: simulator.apiUrl,
      KIS_WEBSOCKET_URL: simulator.websocketUrl,
    },
    secrets,
    closes,
    [Symbol.asyncDispose]: () => simulator.stop(),
  };
}

const SECRET = /"(?:access_token|approval_key|key|iv)":"([^"]+)"/g;

/** The client, as the venue sees it, with everything overheard that is said to it beside market data. */
function tapped(client: SimulatedClient, overheard: (text: string) => void, hangsUp: boolean): SimulatedClient {
  return {
    control: (text) => {
      overheard(text);
      client.control(text);
      if (hangsUp && text.includes('OPSP0000')) client.close(1006);
    },
    close: (code) => client.close(code),
    later: (delayMs, action) => client.later(delayMs, action),
  };
}
