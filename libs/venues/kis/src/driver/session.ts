import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import type { FrameReading, FrameRecord, SessionOptions, Subscription, VenueSession } from '@aipx/venue';
import type { SessionCalendar } from '../calendar/calendar.js';
import type { ControlAction } from '../control/codes.js';
import { readControl, refusalOf, type ControlAnswer } from '../control/message.js';
import type { Decipher } from '../frame/cipher.js';
import { isDataFrame } from '../frame/frame.js';
import type { Segment } from '../layout/streams.js';
import { DataReader, type RecordReading } from '../reader.js';
import { VolumeMemory } from './memory.js';
import { registration, streamOf } from './request.js';

export interface KisSessionOptions extends SessionOptions {
  readonly segment: Segment;
  readonly calendar: SessionCalendar;
  /** Needed for encrypted frames only. */
  readonly decipher?: Decipher;
}

/** The session as a whole is refused; all else concerns one registration. */
const OF_THE_SESSION: ReadonlySet<ControlAction> = new Set(['new-approval-key', 'already-in-use', 'back-off', 'fatal']);
const RETRIES = 3;
const RETRY_AFTER_MS = 5_000;

/**
 * One session of one key: registers its streams one by one, and reads what comes. Heartbeats are answered with the same text
 * (newer official sample and python-kis).
 */
export class KisSession implements VenueSession {
  readonly opening: readonly string[];
  readonly #approvalKey: string;
  readonly #reader: DataReader;
  readonly #memory: VolumeMemory;
  /** By TR id and code. */
  readonly #registered = new Map<string, Subscription>();
  readonly #retries = new Map<string, number>();

  /** @throws {MarketDataError} `CONFIG_INVALID` without an approval key */
  constructor(options: KisSessionOptions) {
    const { subscriptions, segment, calendar, decipher, memory, secret } = options;
    if (secret === undefined) {
      throw new MarketDataError(
        'CONFIG_INVALID',
        'a session of KIS takes an approval key; are KIS_API_KEY and _SECRET set?',
      );
    }
    this.#approvalKey = secret;
    this.#memory = memory instanceof VolumeMemory ? memory : new VolumeMemory(calendar);
    this.#reader = new DataReader({
      isSubscribed: (trId, code) => this.#registered.has(nameOf(trId, code)),
      dateOfQuote: (time, receivedAt) => calendar.dateOfQuote(time, receivedAt),
      ...(decipher && { decipher }),
    });
    this.opening = subscriptions.map((subscription) => {
      const { trId } = streamOf(segment, subscription.channel);
      this.#registered.set(nameOf(trId, subscription.symbol), subscription);
      return registration(secret, trId, subscription.symbol);
    });
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
          records: [{ outcome: 'rejected', symbol: '', channel: undefined, error: message.error }],
        };
    }
  }

  #readData(frame: Uint8Array, receivedAt: Nanoseconds): FrameReading {
    const { records } = this.#reader.read(frame, receivedAt);
    return { kind: 'data', records: records.flatMap((record) => this.#recordsOf(record)) };
  }

  #recordsOf(record: RecordReading): readonly FrameRecord[] {
    if (record.outcome === 'operation') return [];
    if (record.outcome !== 'event') return [withoutBytes(record)];
    if (record.event.kind !== 'tick') return [record];
    const { isRepeated, missing } = this.#memory.observe(record.event);
    return [...missing, isRepeated ? { outcome: 'repeated', symbol: record.event.symbol } : record];
  }

  #readAnswer(answer: ControlAnswer): FrameReading {
    const { trId = '', symbol = '', key, action } = answer;
    if (key !== undefined) this.#reader.useKey(trId, key);
    const error = refusalOf(answer);
    const subscription = this.#registered.get(nameOf(trId, symbol));
    if (error !== undefined && (OF_THE_SESSION.has(action) || subscription === undefined))
      return { kind: 'refusal', error };
    if (subscription === undefined) return { kind: 'control' };
    if (error === undefined) return { kind: 'control', news: { subscription } };
    const retry = action === 'retry-later' ? this.#retry(trId, symbol) : undefined;
    return retry ?? { kind: 'control', news: { subscription, error } };
  }

  #retry(trId: string, symbol: string): FrameReading | undefined {
    const name = nameOf(trId, symbol);
    const tries = (this.#retries.get(name) ?? 0) + 1;
    if (tries > RETRIES) return undefined;
    this.#retries.set(name, tries);
    const reply = registration(this.#approvalKey, trId, symbol);
    return { kind: 'control', reply, replyAfterMs: RETRY_AFTER_MS * tries };
  }
}

function nameOf(trId: string, code: string): string {
  return `${trId} ${code}`;
}

function withoutBytes(record: Exclude<RecordReading, { outcome: 'event' | 'operation' }>): FrameRecord {
  if (record.outcome === 'ignored') return record;
  const { outcome, symbol, channel, error } = record;
  return { outcome, symbol, channel, error };
}
