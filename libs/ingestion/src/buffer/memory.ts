import type { WaitingRecord } from './waiting-record.js';

/** What is in memory and not acknowledged, against its bounds. */
export class Memory {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  #records = 0;
  #gaps = 0;
  #bytes = 0;
  /** Gaps among them. */
  readonly #byExchange = new Map<string, number>();

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  get records(): number {
    return this.#records + this.#gaps;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether none of this venue is here. */
  isEmptyOf(exchange: string): boolean {
    return (this.#byExchange.get(exchange) ?? 0) === 0;
  }

  /** One record always fits, however large. Gaps take no room: they are few, and never dropped. */
  hasRoomFor({ bytes }: WaitingRecord): boolean {
    return this.#records === 0 || (this.#records < this.#maxRecords && this.#bytes + bytes <= this.#maxBytes);
  }

  add({ kind, exchange, bytes }: WaitingRecord): void {
    this.#count(exchange, 1);
    if (kind === 'gap') {
      this.#gaps += 1;
      return;
    }
    this.#records += 1;
    this.#bytes += bytes;
  }

  remove({ kind, exchange, bytes }: WaitingRecord): void {
    this.#count(exchange, -1);
    if (kind === 'gap') {
      this.#gaps -= 1;
      return;
    }
    this.#records -= 1;
    this.#bytes -= bytes;
  }

  #count(exchange: string, change: number): void {
    this.#byExchange.set(exchange, (this.#byExchange.get(exchange) ?? 0) + change);
  }
}
