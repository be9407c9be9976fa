import { MarketDataError } from '@aipx/market-model';
import type { Random } from '@aipx/venue/simulation';
import { isAnswerCode } from './control.js';
import type { KisSimulatorSettings } from './settings.js';
import type { Mischief } from './walk.js';

type Fields = Readonly<Record<string, unknown>>;

/** What is left of an order to do something so many times. */
class Times {
  #left = 0;

  set(count: number): void {
    this.#left = count;
  }

  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}

/** How the venue behaves at this moment: the settings, as the faults on request have changed them. */
export class Behaviour implements Mischief {
  registrations: number;
  acknowledgeAfterMs: number;
  zombieMs: number;
  sendsPingPong = true;
  /** Every appkey counts as wrong. */
  refusesKeys = false;
  /** Every appkey counts as in use by somebody else. */
  alwaysInUse = false;
  /** Every token request comes too early. */
  limitsTokens = false;
  readonly #invalidText = new Times();
  readonly #losses = new Times();
  readonly #repeats = new Times();
  readonly #answers = new Times();
  #answer = '';
  /** The stream that gets it; `undefined`: any. */
  #answeredStream: string | undefined;
  readonly #lostRequests = new Times();
  readonly #lostAcknowledgements = new Times();
  /** Streams, and the last of their registrations of which nothing comes. */
  readonly #muted = new Map<string, number>();
  #registered = 0;
  readonly #lossShare: number;
  readonly #repeatShare: number;

  constructor(settings: KisSimulatorSettings) {
    this.registrations = settings.registrations ?? 41;
    this.acknowledgeAfterMs = settings.acknowledgeAfterMs ?? 0;
    this.zombieMs = settings.zombieMs ?? 30_000;
    this.#lossShare = settings.lossShare ?? 0;
    this.#repeatShare = settings.repeatShare ?? 0;
  }

  losesRecord(random: Random): boolean {
    return this.#losses.take() || random() < this.#lossShare;
  }

  repeatsRecord(random: Random): boolean {
    return this.#repeats.take() || random() < this.#repeatShare;
  }

  /** Whether the frame now made carries bytes that are no UTF-8. */
  breaksText(): boolean {
    return this.#invalidText.take();
  }

  /** The code that answers the subscription now asked for, instead of the right one. */
  takeAnswer(stream: string): string | undefined {
    if (this.#answeredStream !== undefined && this.#answeredStream !== stream) return undefined;
    return this.#answers.take() ? this.#answer : undefined;
  }

  /** Whether the request that now comes is never seen. */
  losesRequest(): boolean {
    return this.#lostRequests.take();
  }

  /** Whether the answer that now goes never arrives. */
  losesAcknowledgement(): boolean {
    return this.#lostAcknowledgements.take();
  }

  /** Numbers the registrations, those of all sessions together. */
  numberRegistration(): number {
    this.#registered += 1;
    return this.#registered;
  }

  isMuted(stream: string, registration: number): boolean {
    return registration <= (this.#muted.get(stream) ?? 0);
  }

  /**
   * Carries out a fault that concerns behaviour alone. False when it is none of these.
   *
   * @throws {MarketDataError} `CONFIG_INVALID` for a field that is wrong
   */
  change(fault: Fields): boolean {
    switch (fault['name']) {
      case 'wrong-keys':
        this.refusesKeys = flag(fault);
        return true;
      case 'already-in-use':
        this.alwaysInUse = flag(fault);
        return true;
      case 'token-limit':
        this.limitsTokens = flag(fault);
        return true;
      case 'drop-pingpong':
        this.sendsPingPong = !flag(fault);
        return true;
      case 'slow-acknowledgements':
        this.acknowledgeAfterMs = whole(fault, 'ms');
        return true;
      case 'zombies':
        this.zombieMs = whole(fault, 'ms');
        return true;
      case 'max-registrations':
        this.registrations = whole(fault, 'count');
        return true;
      case 'lose-records':
        this.#losses.set(whole(fault, 'count'));
        return true;
      case 'repeat-records':
        this.#repeats.set(whole(fault, 'count'));
        return true;
      case 'invalid-utf8':
        this.#invalidText.set(whole(fault, 'count'));
        return true;
      case 'lose-requests':
        this.#lostRequests.set(whole(fault, 'count'));
        return true;
      case 'lose-acknowledgements':
        this.#lostAcknowledgements.set(whole(fault, 'count'));
        return true;
      case 'mute':
        this.#muted.set(streamName(fault), this.#registered);
        return true;
      case 'answer':
        this.#answer = answerCode(fault);
        this.#answeredStream = fault['stream'] === undefined ? undefined : streamName(fault);
        this.#answers.set(whole(fault, 'count'));
        return true;
      default:
        return false;
    }
  }
}

function flag(fault: Fields): boolean {
  const { on } = fault;
  if (typeof on === 'boolean') return on;
  throw wrong(fault, 'on', 'true or false');
}

function whole(fault: Fields, name: string): number {
  const value = fault[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(fault, name, 'a whole number, 0 or more');
}

function streamName(fault: Fields): string {
  const { stream } = fault;
  if (typeof stream === 'string' && /^\w{8} \w+$/.test(stream)) return stream;
  throw wrong(fault, 'stream', 'a TR id and a code such as H0STCNT0 005930');
}

function answerCode(fault: Fields): string {
  const { code } = fault;
  if (typeof code === 'string' && isAnswerCode(code)) return code;
  throw wrong(fault, 'code', 'a code of the real-time server such as OPSP0007');
}

function wrong(fault: Fields, name: string, right: string): MarketDataError {
  return new MarketDataError(
    'CONFIG_INVALID',
    `field ${name} of fault ${JSON.stringify(fault['name'])} is ${JSON.stringify(fault[name])}; expected ${right}`,
  );
}
