import { validOrderBook, validTick } from '@aipx/market-model';
import { seededRandom, type Random } from '@aipx/venue/simulation';
import { describe, expect, it } from 'vitest';
import { mutate, pick, randomFrame, randomWidths, soundFrames } from '../test/mutation.js';
import { CODES, openReader, RECEIVED_AT, text } from '../test/reading.js';
import { kisDriver } from './driver/driver.js';
import { DataReader, type RecordReading } from './reader.js';

/** A million with `nx run venue-kis:fuzz`. Each run has other frames; the seed in its title brings them back. */
const FRAMES = Number(process.env['KIS_FUZZ_FRAMES'] ?? 25_000);
const SEED = Number(process.env['KIS_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
/** A million take minutes, on a busy machine an hour. */
const TIMEOUT_MS = 3_600_000;
/** In one record of a frame; the others are damaged anywhere. */
const DAMAGED_INSIDE = FRAMES * 0.7;
const DAMAGED_ANYWHERE = FRAMES * 0.3;
/** Each reader sees many frames, as a connection does: what one damaged frame teaches must not spoil the next. */
const FRAMES_A_READER = 500;

/** What a record says, for telling it from others; nothing of one that could not be read. */
function content(record: RecordReading): string {
  if (record.outcome === 'rejected') return '';
  if (record.outcome === 'ignored') return record.symbol;
  if (record.outcome === 'operation') return JSON.stringify({ ...record.operation, receivedTimestamp: undefined });
  const { event } = record;
  if (event.kind === 'tick') return Object.values(event).join(' ');
  const levels = [...event.asks, ...event.bids].map(({ price, quantity }) => `${price} ${quantity}`);
  return [event.symbol, event.timestamp, event.totalAskQuantity, event.totalBidQuantity, ...levels].join(' ');
}

/** A connection that has seen each of its streams. */
function connection(random: Random) {
  const widths = randomWidths(random);
  const reader = openReader();
  for (const frame of soundFrames(widths)) reader.read(frame, RECEIVED_AT);
  return { reader, widths };
}

function openSession() {
  const subscriptions = [...CODES].flatMap((symbol) => [
    { symbol, channel: 'tick' as const },
    { symbol, channel: 'orderbook' as const },
  ]);
  const driver = kisDriver();
  const memory = driver.newMemory?.();
  return driver.openSession({
    subscriptions,
    bookDepth: 10,
    connectionId: 'c',
    secret: 's',
    ...(memory && { memory }),
  });
}

function checkSound(records: readonly RecordReading[], frame: Uint8Array): void {
  const whole = text(frame);
  for (const record of records) {
    if (record.outcome === 'rejected') {
      if (record.error.message === '') expect.unreachable('a rejection without a reason');
      if (!whole.includes(text(record.bytes))) expect.unreachable(`bytes that are not of the frame ${whole}`);
    } else if (record.outcome === 'event') {
      if (record.event.kind === 'tick') validTick(record.event);
      else validOrderBook(record.event);
    }
  }
}

describe(`${FRAMES} damaged KIS frames, KIS_FUZZ_SEED=${SEED}`, () => {
  it(
    'cost no neighbour of a damaged record, and what is rejected keeps its bytes',
    () => {
      const random = seededRandom(SEED, 'one record');
      let { reader, widths } = connection(random);
      const outcomes = new Map<string, number>();
      for (let index = 0; index < DAMAGED_INSIDE; index += 1) {
        if (index % FRAMES_A_READER === 0) ({ reader, widths } = connection(random));
        const { bytes, ranges } = randomFrame(random, widths);
        const sound = openReader().read(bytes, RECEIVED_AT).records.map(content);
        const victim = Math.floor(random() * ranges.length);
        const [from, to] = ranges[victim] as readonly [number, number];
        const frame = mutate(random, bytes, from, to);
        const { records } = reader.read(frame, RECEIVED_AT);
        checkSound(records, frame);
        const found = records.map(content);
        sound.forEach((neighbour, position) => {
          if (position === victim) return;
          const at = found.indexOf(neighbour);
          if (at === -1) expect.unreachable(`frame ${index} lost record ${position}:\n${text(frame)}`);
          found.splice(at, 1);
        });
        for (const { outcome } of records) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      for (const outcome of ['event', 'rejected', 'ignored', 'operation']) {
        expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'crash nothing, wherever they are damaged and however often',
    () => {
      const random = seededRandom(SEED, 'anywhere');
      let { reader, widths } = connection(random);
      let session = openSession();
      let rejected = 0;
      for (let index = 0; index < DAMAGED_ANYWHERE; index += 1) {
        if (index % FRAMES_A_READER === 0) {
          ({ reader, widths } = connection(random));
          session = openSession();
        }
        let frame = randomFrame(random, widths).bytes;
        for (let times = 1 + Math.floor(random() * 4); times > 0 && frame.length > 0; times -= 1) {
          frame = mutate(random, frame, 0, frame.length);
        }
        const { records } = reader.read(frame, RECEIVED_AT);
        if (records.length === 0) expect.unreachable(`nothing said of ${text(frame)}`);
        checkSound(records, frame);
        rejected += records.filter(({ outcome }) => outcome === 'rejected').length;
        session.read(frame, RECEIVED_AT);
      }
      expect(rejected).toBeGreaterThan(DAMAGED_ANYWHERE / 4);
    },
    TIMEOUT_MS,
  );

  it(
    'crash nothing when they are no frames at all',
    () => {
      const random = seededRandom(SEED, 'noise');
      const session = openSession();
      const reader = new DataReader({
        isSubscribed: () => random() < 0.5,
        dateOfQuote: () => {
          throw new Error('no date');
        },
      });
      for (let index = 0; index < FRAMES / 10; index += 1) {
        const length = Math.floor(random() * 300);
        const head = pick(random, ['', '0|H0STCNT0|001|', '0|H0STASP0|003|', '1|H0STMKO0|001|', '{"header":{"tr_id":']);
        const noise = Uint8Array.from({ length }, () => Math.floor(random() * 256));
        const frame = Uint8Array.from([...new TextEncoder().encode(head), ...noise]);
        checkSound(reader.read(frame, RECEIVED_AT).records, frame);
        session.read(frame, RECEIVED_AT);
      }
    },
    TIMEOUT_MS,
  );
});
