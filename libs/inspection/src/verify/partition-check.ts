import type { LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import { EVENT_TOPICS, kindOfTopic } from '@aipx/market-proto';
import { decodeRecord } from '@aipx/recording';
import type { DeadLetters } from './dead-letters.js';
import { databaseLine, databasePart, differenceText, fieldOf, lakeLine, timeOf } from './fields.js';
import type { Finding, FindingKind, Store } from './findings.js';
import { isIn } from './is-in.js';
import type { LakeWindow } from './lake-window.js';
import type { Counts, Tally } from './tally.js';
import type { VenueRepeats } from './venue-repeats.js';

export interface PartitionCheckOptions {
  readonly partition: TopicPartition;
  /** Stores that are compared; the others are taken for empty and right. */
  readonly stores: ReadonlySet<Store>;
  /** Half open, nanoseconds of event time. */
  readonly times: { readonly from?: bigint; readonly to?: bigint };
  /** Rows before this are gone from the database by its retention, nanoseconds. */
  readonly removedBefore: bigint;
  /** What the log let go before the database's recorder read it, as its Gaps say. */
  readonly neverRead: readonly OffsetRange[];
  readonly letters: DeadLetters;
  readonly repeats: VenueRepeats | undefined;
  readonly tally: Tally;
  readonly report: (finding: Finding) => void;
}

/** What stands at one offset. */
export interface Place {
  readonly offset: bigint;
  readonly record: LogRecord | undefined;
  readonly database: readonly string[];
  readonly lake: readonly string[];
  readonly window: LakeWindow | undefined;
  /** Whether the log has let go of what was there. */
  readonly isRetired: boolean;
}

/** Holds what the log has at an offset against what the stores have. */
export class PartitionCheck {
  readonly #options: PartitionCheckOptions;
  readonly #kind: MarketEvent['kind'];

  constructor(options: PartitionCheckOptions) {
    this.#options = options;
    this.#kind = kindOfTopic(options.partition.topic);
  }

  check(place: Place): void {
    if (place.record === undefined) {
      this.#checkWithoutLog(place);
      return;
    }
    const decoded = decodeRecord(place.record);
    if ('error' in decoded) this.#checkUndecodable(place, place.record);
    else this.#checkEvent(place, decoded.event);
  }

  #checkEvent(place: Place, event: MarketEvent): void {
    const { stores, tally, partition } = this.#options;
    const time = event.kind === 'gap' ? event.to : event.timestamp;
    if (!this.#isAsked(time) && place.database.length + place.lake.length === 0) return;
    const counts = tally.at(partition.topic, time);
    counts.log += 1;
    const ofDatabase = databaseLine(event);
    if (event.kind === 'gap') this.#countGap(ofDatabase);
    if (stores.has('database')) this.#compare(place, 'database', ofDatabase, ofDatabase, counts);
    if (stores.has('lake')) this.#compare(place, 'lake', lakeLine(event, ofDatabase), ofDatabase, counts);
  }

  /** Retention took the record, so the stores are held against each other; or the log never had one. */
  #checkWithoutLog(place: Place): void {
    const { stores, tally, partition } = this.#options;
    const [ofLake] = place.lake;
    const ofDatabase = ofLake === undefined ? place.database[0] : databasePart(this.#kind, ofLake);
    if (ofDatabase === undefined) return;
    const counts = tally.at(partition.topic, timeOf(ofDatabase));
    if (!place.isRetired) {
      for (const store of ['database', 'lake'] as const) {
        if (place[store].length > 0) {
          counts[store] += place[store].length;
          this.#different(
            place,
            store,
            ofDatabase,
            counts,
            'a row stands here, and the log has no record of this offset',
          );
        }
      }
      return;
    }
    if (this.#kind === 'gap') this.#countGap(ofDatabase);
    if (stores.has('database')) this.#compare(place, 'database', ofDatabase, ofDatabase, counts);
    if (stores.has('lake')) this.#compare(place, 'lake', ofLake, ofDatabase, counts);
  }

  #checkUndecodable(place: Place, record: LogRecord): void {
    const { tally, partition, letters } = this.#options;
    if (!this.#isAsked(record.appendedAt) && place.database.length + place.lake.length === 0) return;
    const counts = tally.at(partition.topic, record.appendedAt);
    counts.log += 1;
    if (letters.at(partition, place.offset) !== undefined) counts.deadLetters += 1;
    else if (letters.isIncomplete) counts.removed += 1;
    else {
      counts.lost += 1;
      this.#report(
        place,
        'lost',
        'dead letters',
        undefined,
        'the record cannot be decoded, and no dead letter holds it',
      );
    }
    for (const store of ['database', 'lake'] as const) {
      const [line] = place[store];
      counts[store] += place[store].length;
      if (line !== undefined) {
        this.#different(place, store, line, counts, 'a row stands here, and the record in the log cannot be decoded');
      }
    }
  }

  /** @param expected the row; `undefined` where the log is gone and the other store cannot say it */
  #compare(
    place: Place,
    store: 'database' | 'lake',
    expected: string | undefined,
    ofDatabase: string,
    counts: Counts,
  ): void {
    const lines = place[store];
    counts[store] += lines.length;
    if (lines.length === 0) {
      if (store === 'lake') this.#notInLake(place, ofDatabase, counts);
      else this.#notInDatabase(place, ofDatabase, counts);
      return;
    }
    if (lines.length > 1) {
      counts.doubled += lines.length - 1;
      this.#report(place, 'doubled', store, ofDatabase, `stands ${lines.length} times`);
    }
    if (expected === undefined) return;
    for (const line of lines) {
      if (line !== expected)
        this.#different(place, store, ofDatabase, counts, differenceText(this.#kind, line, expected));
    }
  }

  #notInDatabase(place: Place, line: string, counts: Counts): void {
    const { letters, partition, removedBefore, neverRead, repeats } = this.#options;
    const { offset } = place;
    const letter = letters.at(partition, offset);
    const isNamed = isIn(neverRead, offset);
    const note = isNamed ? '; a Gap of cause RETENTION names the offset, and the log has it' : '';
    const lost = (says: string) => {
      counts.lost += 1;
      this.#report(place, 'lost', 'database', line, `${says}${note}`);
    };
    if (letter !== undefined) {
      counts.deadLetters += 1;
      if (letter.reason !== 'VALIDATION_CONFLICT') return;
      counts.conflicts += 1;
      this.#report(place, 'conflict', 'database', line, letter.message);
    } else if (timeOf(line) < removedBefore || (place.isRetired && isNamed)) {
      counts.removed += 1;
    } else if (repeats !== undefined && this.#kind === 'tick') {
      repeats.add({ partition: partition.partition, offset, line, counts, lost });
    } else {
      lost('no row');
    }
  }

  #notInLake(place: Place, line: string, counts: Counts): void {
    const entry = place.window?.entryAt(place.offset);
    const isMissing = entry !== undefined && isIn(entry.missing, place.offset);
    if (isMissing && place.isRetired) {
      counts.removed += 1;
      return;
    }
    counts.lost += 1;
    if (place.window?.fileOf(place.offset, timeOf(line))?.isLost) return;
    const note = isMissing ? '; the manifest calls the offset missing, and the log has it' : '';
    const uncovered = entry === undefined ? 'no manifest entry has the offset, and later ones are there' : 'no row';
    this.#report(place, 'lost', 'lake', line, `${uncovered}${note}`);
  }

  #different(place: Place, store: 'database' | 'lake', line: string, counts: Counts, says: string): void {
    counts.different += 1;
    this.#report(place, 'different', store, line, says);
  }

  #report(place: Place, kind: FindingKind, store: Store, line: string | undefined, says: string): void {
    const { partition, report } = this.#options;
    const at = { kind, store, partition, offset: place.offset, says };
    if (line === undefined) {
      report(at);
      return;
    }
    const time = timeOf(line);
    const file = store === 'lake' ? place.window?.fileOf(place.offset, time)?.name : undefined;
    report({
      ...at,
      exchange: fieldOf(this.#kind, line, 'exchange') ?? '',
      symbol: fieldOf(this.#kind, line, 'symbol') ?? '',
      time,
      ...(file !== undefined && { file }),
    });
  }

  #countGap(line: string): void {
    const channel = fieldOf('gap', line, 'channel');
    const topic = channel === 'tick' || channel === 'orderbook' ? EVENT_TOPICS[channel] : EVENT_TOPICS.gap;
    this.#options.tally.at(topic, timeOf(line)).gaps += 1;
  }

  #isAsked(time: bigint): boolean {
    const { from, to } = this.#options.times;
    return (from === undefined || time >= from) && (to === undefined || time < to);
  }
}
