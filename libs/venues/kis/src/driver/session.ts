import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import type { FrameReading, FrameRecord, Registration, SessionOptions, TradingNews, VenueSession } from '@aipx/venue';
import type { SessionCalendar } from '../calendar/calendar.js';
import type { ControlAction } from '../control/codes.js';
import { readControl, refusalOf, type ControlAnswer } from '../control/message.js';
import type { Decipher } from '../frame/cipher.js';
import { isDataFrame } from '../frame/frame.js';
import type { Segment } from '../layout/streams.js';
import { DataReader, type RecordReading, type WidthChange } from '../reader.js';
import { VolumeMemory } from './memory.js';
import { nameOf, operationsOf, registration, streamOf } from './request.js';
import { tradingNews } from './trading-news.js';

export interface KisSessionOptions extends SessionOptions {
  readonly segment: Segment;
  readonly calendar: SessionCalendar;
  /** Whether to ask for the market operations of each symbol too. */
  readonly marketOperations: boolean;
  /** Needed for encrypted frames only. */
  readonly decipher?: Decipher;
}

type MarketRecord = Exclude<RecordReading, { outcome: 'operation' }>;

/** The session as a whole is refused; all else concerns one registration. */
const OF_THE_SESSION: ReadonlySet<ControlAction> = new Set(['new-approval-key', 'already-in-use', 'back-off', 'fatal']);

/** What an answer says of one registration, where that is no plain refusal. */
const NEGATIVES: ReadonlyMap<ControlAction, 'ended' | 'full'> = new Map([
  ['freed', 'ended'],
  ['already-freed', 'ended'],
  ['stop-adding', 'full'],
]);

/**
 * One session of one key: what registers its streams one by one, and what comes. Heartbeats are answered with the same text
 * (newer official sample and python-kis).
 */
export class KisSession implements VenueSession {
  readonly opening: readonly string[];
  readonly registrations: readonly Registration[];
  readonly #reader: DataReader;
  readonly #memory: VolumeMemory;
  readonly #registered: ReadonlyMap<string, Registration>;

  /** @throws {MarketDataError} `CONFIG_INVALID` without an approval key */
  constructor(options: KisSessionOptions) {
    const { subscriptions, segment, calendar, marketOperations, decipher, memory, secret } = options;
    if (secret === undefined) {
      throw new MarketDataError(
        'CONFIG_INVALID',
        'a session of KIS takes an approval key; are KIS_API_KEY and _SECRET set?',
      );
    }
    this.#memory = memory instanceof VolumeMemory ? memory : new VolumeMemory(calendar);
    this.#reader = new DataReader({
      isSubscribed: (trId, code) => this.#registered.has(nameOf(trId, code)),
      dateOfQuote: (time, receivedAt) => calendar.dateOfQuote(time, receivedAt),
      ...(decipher && { decipher }),
    });
    const streams = subscriptions.map((subscription) =>
      registration(secret, streamOf(segment, subscription.channel).trId, subscription.symbol, subscription),
    );
    const symbols = marketOperations ? [...new Set(subscriptions.map(({ symbol }) => symbol))] : [];
    const { trId } = operationsOf(segment);
    // Data first: where the venue takes fewer registrations than it says, it is the operations that go.
    this.registrations = [...streams, ...symbols.map((symbol) => registration(secret, trId, symbol))];
    this.opening = this.registrations.map(({ request }) => request);
    this.#registered = new Map(this.registrations.map((each) => [each.name, each]));
  }

  read(frame: Uint8Array, receivedAt: Nanoseconds): FrameReading {
    if (isDataFrame(frame)) return this.#readData(frame, receivedAt);
    const message = readControl(frame);
    switch (message.kind) {
      case 'heartbeat':
        return { kind: 'control', reply: message.reply };
      case 'answer':
        return this.#readAnswer(message);
      case 'unreadable':
        return {
          kind: 'data',
          records: [
            {
              outcome: 'rejected',
              symbol: '',
              channel: undefined,
              error: message.error,
              bytes: new TextEncoder().encode(message.text),
            },
          ],
        };
    }
  }

  #readData(frame: Uint8Array, receivedAt: Nanoseconds): FrameReading {
    const records: FrameRecord[] = [];
    const trading: TradingNews[] = [];
    const { records: read, widthChange } = this.#reader.read(frame, receivedAt);
    const notices = widthChange === undefined ? [] : [layoutChanged(widthChange)];
    for (const record of read) {
      if (record.outcome !== 'operation') {
        records.push(...this.#recordsOf(record, notices));
        continue;
      }
      const news = tradingNews(record.operation);
      if (news !== undefined) trading.push(news);
    }
    const told = { ...(trading.length > 0 && { trading }), ...(notices.length > 0 && { notices }) };
    return records.length > 0 ? { kind: 'data', records, ...told } : { kind: 'control', ...told };
  }

  #recordsOf(record: MarketRecord, notices: string[]): readonly FrameRecord[] {
    if (record.outcome !== 'event') return [frameRecord(record)];
    const { outcome, event, notice } = record;
    if (notice !== undefined) notices.push(notice);
    if (event.kind !== 'tick') return [{ outcome, event }];
    const { isRepeated, missing, notice: contradiction } = this.#memory.observe(event);
    if (contradiction !== undefined) notices.push(contradiction);
    return [...missing, isRepeated ? { outcome: 'repeated', symbol: event.symbol } : { outcome, event }];
  }

  #readAnswer(answer: ControlAnswer): FrameReading {
    const { trId = '', symbol = '', key, action } = answer;
    if (key !== undefined) this.#reader.useKey(trId, key);
    const error = refusalOf(answer) ?? registrationEnded(answer);
    if (error !== undefined && OF_THE_SESSION.has(action)) return { kind: 'refusal', error };
    const registration = this.#registered.get(nameOf(trId, symbol));
    if (registration === undefined) {
      return { kind: 'control', ...(error !== undefined && { notices: [ofNoRegistration(answer)] }) };
    }
    if (error === undefined) return { kind: 'control', news: { registration, answer: 'stands' } };
    const news = { registration, answer: NEGATIVES.get(action) ?? ('refused' as const), error };
    if (registration.subscription !== undefined) return { kind: 'control', news };
    return { kind: 'control', news, trading: [{ symbol, detail: `its halts are not known: ${error.message}` }] };
  }
}

function frameRecord(record: Exclude<MarketRecord, { outcome: 'event' }>): FrameRecord {
  if (record.outcome === 'ignored') return record;
  const { records, ...rejected } = record;
  const isCounted = records !== undefined && rejected.channel !== undefined;
  return { ...rejected, ...(isCounted && { missed: BigInt(records) }) };
}

/** A registration that has ended, or is not found: as it was asked for, or unasked. */
function registrationEnded({ action, trId, symbol, code, message }: ControlAnswer): MarketDataError | undefined {
  if (action !== 'freed' && action !== 'already-freed') return undefined;
  const subject = [trId, symbol].filter((part) => part !== undefined).join(' ');
  return new MarketDataError(
    'CONNECTION_REFUSED_BY_VENUE',
    `KIS has ended the registration of ${subject}: ${code} ${message}`.trimEnd(),
    { context: { code, action }, retryable: true },
  );
}

/** Of the whole session it is not, since its code is about one registration: the others may stand. */
function ofNoRegistration({ trId, symbol, code, message }: ControlAnswer): string {
  const named = [trId, symbol].filter((part) => part !== undefined).join(' ');
  const which = named === '' ? 'does not say which' : `names ${named}, which is none of them`;
  return `KIS refuses or ends a registration and ${which}: ${code} ${message}`.trimEnd();
}

function layoutChanged({ trId, from, to }: WidthChange): string {
  return (
    `records of ${trId} have ${to} fields, not ${from}: KIS has changed their layout; ` +
    'the known fields are read where they stood, check that this still holds'
  );
}
