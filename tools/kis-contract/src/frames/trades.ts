import type { Nanoseconds, Tick } from '@aipx/market-model';
import { parseTradeId, VolumeSequence, type Sighting } from '@aipx/venue-kis';
import { judged, notSeen, type Finding } from '../findings.ts';
import type { FrameCheck, SeenFrame } from './frame.ts';
import { Tally } from './tally.ts';

const CLOCK_TOLERANCE_MS = 60_000;

/** Cumulative volume minus size is the cumulative volume of the trade before: losses are found by it. */
export class TradeVolumes implements FrameCheck {
  readonly #sequences = new Map<string, VolumeSequence>();
  readonly #faults = new Tally();
  #trades = 0;

  see({ stream, records }: SeenFrame): void {
    for (const record of records) {
      if (stream === undefined || record.outcome !== 'event' || record.event.kind !== 'tick') continue;
      this.#trades += 1;
      const fault = faultOf(this.#sequence(`${stream.trId} ${record.event.symbol}`).observe(stepOf(record.event)));
      if (fault !== undefined) this.#faults.add(`${stream.trId} ${record.event.symbol} ${fault}`);
    }
  }

  findings(): readonly Finding[] {
    if (this.#trades === 0) return [notSeen('trade.volumes', 'no trade came')];
    const expected = 'ACML_VOL minus CNTG_VOL to be the ACML_VOL of the trade before';
    return [judged('trade.volumes', expected, this.#faults.texts(), `${this.#trades} trades in a row`)];
  }

  #sequence(name: string): VolumeSequence {
    const sequence = this.#sequences.get(name) ?? new VolumeSequence();
    this.#sequences.set(name, sequence);
    return sequence;
  }
}

/** Trade times are the wall clock of Korea, in whole seconds. */
export class TradeTimes implements FrameCheck {
  #earliest = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;

  see({ records, receivedAt }: SeenFrame): void {
    for (const record of records) {
      if (record.outcome !== 'event' || record.event.kind !== 'tick') continue;
      const late = millis(receivedAt - record.event.timestamp);
      this.#earliest = Math.min(this.#earliest, late);
      this.#latest = Math.max(this.#latest, late);
    }
  }

  findings(): readonly Finding[] {
    if (this.#latest < this.#earliest) return [notSeen('trade.time', 'no trade came')];
    const came = `trades received ${seconds(this.#earliest)} to ${seconds(this.#latest)} s after their time`;
    const isRight = this.#earliest >= -CLOCK_TOLERANCE_MS && this.#latest <= CLOCK_TOLERANCE_MS;
    const expected = 'BSOP_DATE and STCK_CNTG_HOUR in Korea time, within a minute of our clock';
    return [judged('trade.time', expected, isRight ? [] : [came], came)];
  }
}

function stepOf({ tradeId, volume }: Tick) {
  const { businessDate, cumulativeVolume } = parseTradeId(tradeId);
  return { businessDate, cumulativeVolume, volume: BigInt(volume) };
}

function faultOf(sighting: Sighting): string | undefined {
  switch (sighting.kind) {
    case 'first':
    case 'next':
      return undefined;
    case 'loss':
      return `${sighting.missedVolume} shares missing`;
    case 'overlap':
      return `${sighting.seenVolume} shares for the second time`;
    case 'recovered':
      return 'late';
    case 'repeated':
      return 'repeated';
    case 'unknown':
      return 'late or repeated, behind more losses than are remembered';
    case 'earlier-day':
      return 'of an earlier day';
  }
}

function millis(nanoseconds: Nanoseconds): number {
  return Number(nanoseconds / 1_000_000n);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
