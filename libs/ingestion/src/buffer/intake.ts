import type { Gap, Nanoseconds } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { wallClock } from '@aipx/websocket-client';
import { mergeGaps } from '../gap-merger.js';
import type { DropCounts, PublishCounts } from '../publisher.js';
import type { Lane } from './lane.js';
import type { Lanes } from './lanes.js';
import type { BufferLimits } from './limits.js';
import { Losses } from './losses.js';
import type { Memory } from './memory.js';
import type { RecordMaker } from './record-maker.js';
import type { Spillway } from './spillway.js';
import { inOwnMemory, type WaitingRecord } from './waiting-record.js';

export interface IntakeParts {
  readonly limits: BufferLimits;
  readonly counts: PublishCounts;
  readonly maker: RecordMaker;
  readonly memory: Memory;
  readonly lanes: Lanes;
  readonly spillway: Spillway | undefined;
}

/** Decides where a record waits: in memory, on the disk, in the place of an older book, or nowhere. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #losses: Losses;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#losses = new Losses(parts.counts.dropped);
  }

  /** When a record was let go last. */
  get lastLossAt(): Nanoseconds | undefined {
    return this.#losses.lastAt;
  }

  /** Some gaps wait for their second to be over, or for room. */
  get isHoldingGaps(): boolean {
    return this.#losses.isPending;
  }

  /** Trades, gaps and dead letters: in memory while there is room, else on the disk. */
  takeLasting(records: readonly WaitingRecord[]): void {
    const { spillway } = this.#parts;
    for (const [index, record] of records.entries()) {
      if (spillway?.isActive) return this.#store(spillway, records.slice(index));
      if (record.kind === 'gap' || this.#makeRoom(record)) this.#toLane(record);
      else if (spillway?.isActive)
        return this.#store(spillway, records.slice(index)); // making room began it
      else this.#turnAway(record);
    }
  }

  takeBook(record: WaitingRecord): void {
    const lane = this.#parts.lanes.of(record.entry);
    // Books are replaced by newer ones when they pile up, or memory is full.
    const mayReplace = lane.isCongested || !this.#parts.memory.hasRoomFor(record);
    if (mayReplace && this.#replaceOlder(lane, record)) return;
    if (this.#makeRoom(record)) this.#toLane(record);
    else this.#turnAway(record);
  }

  /** What must be let go although it waited in memory, or on the disk too. */
  letGo(records: readonly WaitingRecord[], reason: keyof DropCounts): void {
    this.#parts.spillway?.acknowledge(records);
    for (const record of records) {
      this.#parts.memory.remove(record);
      this.#lose(record, reason);
    }
  }

  /** Sends the gaps whose turn has come. While the disk has no room, those of what it cannot take wait. */
  housekeep(): void {
    this.takeGaps(this.#losses.due(wallClock()));
    if (this.#losses.isHolding && !this.#parts.spillway?.isActive) this.takeGaps(this.#losses.releaseHeld());
  }

  /** Sends all gaps that wait, whether their second is over or not. */
  releaseGaps(): void {
    this.takeGaps(this.#losses.release(wallClock()));
  }

  takeGaps(gaps: readonly Gap[]): void {
    if (gaps.length === 0) return;
    const { spillway, maker } = this.#parts;
    const records = gaps.map((gap) => maker.gap(gap));
    if (!spillway?.isActive) for (const record of records) this.#toLane(record);
    else if (!spillway.store(records, true)) this.#losses.hold(gaps);
  }

  /** Brings back from the disk what can be sent next. */
  refill(): void {
    const { spillway, lanes, memory } = this.#parts;
    if (!spillway?.isActive) return;
    const lasting = lanes.all('lasting');
    const sending = lasting.filter(({ inFlight }) => inFlight.length > 0);
    const isAway = sending.length > 0 && sending.every(({ failures }) => failures > 0);
    if (isAway && spillway.isAnyOut) return;
    for (const record of spillway.readBack()) {
      memory.add(record);
      lanes.of(record.entry).offer(record);
    }
  }

  /**
   * The end of the process: takes everything that is not acknowledged to where it survives. Books become gaps.
   *
   * @returns how many trades, dead letters and gaps could not be kept; not those gaps that name what is lost with them
   */
  rescue(): number {
    for (const lane of this.#parts.lanes.all('books')) {
      for (const book of emptied(lane)) {
        this.#parts.memory.remove(book);
        this.#holdLoss(book);
      }
    }
    const lanes = this.#parts.lanes.all('lasting');
    const left = lanes.flatMap(emptied).filter(({ spilledAs }) => spilledAs === undefined);
    const gaps = left.flatMap(({ gap }) => gap ?? []);
    const rest = left.filter(({ gap }) => gap === undefined).toSorted((a, b) => a.waitingSince - b.waitingSince);
    this.#losses.hold(gaps);
    return this.#rescue(rest);
  }

  /** Likewise for what comes after that. @returns how many could not be kept */
  rescueLate(records: readonly WaitingRecord[]): number {
    this.#losses.hold(records.flatMap(({ gap }) => gap ?? []));
    for (const record of records) if (record.kind === 'orderbook') this.#holdLoss(record);
    return this.#rescue(records.filter(({ gap, kind }) => gap === undefined && kind !== 'orderbook'));
  }

  /** The gaps first: they are small, and room is kept for them; then what the disk takes, then the gaps of the others. */
  #rescue(records: readonly WaitingRecord[]): number {
    const { spillway } = this.#parts;
    const lostGaps = this.#rescueGaps();
    const kept = spillway?.rescue(records) ?? 0;
    const lost = records.slice(kept);
    for (const record of lost) {
      if (record.kind === 'deadLetter') this.#parts.counts.deadLettersDropped += 1;
      else this.#holdLoss(record);
    }
    return lostGaps + lost.length + this.#rescueGaps();
  }

  /** @returns how many could not be kept. That a buffer's loss has no name is known from the loss itself */
  #rescueGaps(): number {
    const { spillway, maker } = this.#parts;
    const gaps = this.#losses.release(wallClock());
    const records = gaps.map((gap) => maker.gap(gap));
    const kept = spillway?.rescue(records, true) ?? 0;
    return gaps.slice(kept).filter(({ cause }) => cause !== 'BUFFER').length;
  }

  #holdLoss(record: WaitingRecord): void {
    const gap = this.#losses.lost(record, 'shutdown', wallClock());
    if (gap !== undefined) this.#losses.hold([gap]);
  }

  /** @returns whether an older book of the symbol waited, whose place this one has now */
  #replaceOlder({ queue }: Lane, record: WaitingRecord): boolean {
    for (const replaced of queue.conflate()) this.#replaced(replaced);
    const older = queue.latest(record.replaceKey);
    if (older === undefined) return false;
    this.#replaced(older);
    this.#parts.memory.add(record);
    queue.replaceLatest(inOwnMemory(record));
    return true;
  }

  #replaced(record: WaitingRecord): void {
    this.#parts.counts.conflated += 1;
    this.#parts.memory.remove(record);
  }

  /** Gaps of one key and cause become one while they wait, unless the disk has the older one as it is. */
  #toLane(record: WaitingRecord): void {
    const { lanes, memory, maker } = this.#parts;
    const lane = lanes.of(record.entry);
    const older = record.gap && lane.queue.latest(record.replaceKey);
    if (record.gap === undefined || older?.gap === undefined || older.spilledAs !== undefined) {
      memory.add(record);
      return lane.offer(record);
    }
    const merged = maker.gap(mergeGaps(older.gap, record.gap));
    memory.remove(older);
    memory.add(merged);
    lane.queue.replaceLatest(inOwnMemory(merged));
  }

  #makeRoom(record: WaitingRecord): boolean {
    const { memory, spillway } = this.#parts;
    if (memory.hasRoomFor(record)) return true;
    if (spillway?.mayBegin) {
      this.#beginSpilling(spillway);
      if (spillway.isActive && record.kind !== 'orderbook') return false;
    }
    while (!memory.hasRoomFor(record)) {
      const evicted = this.#evict(record);
      if (evicted === undefined) return false;
      this.letGo([evicted], 'overflow');
    }
    return true;
  }

  /** What goes so that this record may stay. */
  #evict({ kind }: WaitingRecord): WaitingRecord | undefined {
    const { lanes, limits } = this.#parts;
    const oldestBook = () => lanes.takeOldest(EVENT_TOPICS.orderbook);
    if (kind !== 'orderbook') return limits.priority === 'trades' ? oldestBook() : undefined;
    return (limits.priority === 'books' ? lanes.takeOldest(EVENT_TOPICS.tick) : undefined) ?? oldestBook();
  }

  /** Takes what is in flight and what waits to the disk. What is in flight stays in memory, for it is being sent. */
  #beginSpilling(spillway: Spillway): void {
    const { lanes, memory } = this.#parts;
    const isNew = ({ spilledAs }: WaitingRecord) => spilledAs === undefined;
    const lasting = lanes.all('lasting');
    const inFlight = lasting.flatMap((lane) => lane.inFlight.filter(isNew));
    const waiting = lasting
      .flatMap((lane) => lane.queue.list().filter(isNew))
      .toSorted((a, b) => a.waitingSince - b.waitingSince);
    if (!spillway.begin(inFlight, waiting)) return;
    for (const lane of lasting) for (const record of lane.queue.remove(isNew)) memory.remove(record);
  }

  /** To the end of the files, behind the gaps of what they had no room for. What they have no room for is let go. */
  #store(spillway: Spillway, records: readonly WaitingRecord[]): void {
    const isReserved = records.every(({ kind }) => kind !== 'tick');
    if (this.#losses.isHolding && spillway.hasRoomFor(records, isReserved)) this.takeGaps(this.#losses.releaseHeld());
    if (spillway.store(records, isReserved)) return;
    for (const record of records) this.#turnAway(record);
  }

  /** A record that is not kept. Gaps always are. */
  #turnAway(record: WaitingRecord): void {
    if (record.gap !== undefined) this.#losses.hold([record.gap]);
    else if (this.#parts.spillway?.isActive && record.kind === 'tick') this.#loseToFullDisk(record);
    else this.#lose(record, 'overflow');
  }

  #loseToFullDisk(record: WaitingRecord): void {
    const gap = this.#losses.lostToFullDisk(record, wallClock());
    if (gap !== undefined) this.takeGaps([gap]);
  }

  #lose(record: WaitingRecord, reason: keyof DropCounts): void {
    if (record.kind === 'deadLetter') this.#parts.counts.deadLettersDropped += 1;
    const gap = this.#losses.lost(record, reason, wallClock());
    if (gap !== undefined) this.takeGaps([gap]);
  }
}

/** All that a lane holds, in order. */
function emptied({ inFlight, queue }: Lane): readonly WaitingRecord[] {
  return [...inFlight, ...queue.take(Infinity, Infinity)];
}
