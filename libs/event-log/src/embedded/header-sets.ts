import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { MarketDataError } from '@aipx/market-model';
import type { LogEntry } from '../event-log.js';

type Headers = LogEntry['headers'];

/** A pipeline uses a handful of sets; each dead letter brings one of its own that never comes again. */
const REMEMBERED_SETS = 1_024;

/** Keeps each distinct set of headers once; a record carries its number. */
export class HeaderSets {
  readonly #ids = new Map<string, number>();
  /** A frozen set cannot change behind our back, so the object itself stands for its text. */
  #idsOfFrozen = new WeakMap<Headers, number>();
  readonly #sets = new Map<number, Headers>();
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare('SELECT header_set_id AS id FROM header_set WHERE headers = ?');
    this.#insert = database.prepare('INSERT INTO header_set (headers) VALUES (?)');
    this.#select = database.prepare('SELECT headers FROM header_set WHERE header_set_id = ?');
  }

  /** The number of a set. Writes a set never seen, so it belongs inside a transaction. Quickest for frozen sets. */
  idOf(headers: Headers): number {
    let id = this.#idsOfFrozen.get(headers);
    if (id === undefined) {
      id = this.#idOfText(JSON.stringify(headers));
      if (Object.isFrozen(headers)) this.#idsOfFrozen.set(headers, id);
    }
    return id;
  }

  /** To be called when the transaction is undone: numbers given in it stand for nothing. */
  forget(): void {
    this.#ids.clear();
    this.#idsOfFrozen = new WeakMap();
    this.#sets.clear();
  }

  /** The set of a number; records with the same set share the object. */
  read(id: number): Headers {
    let headers = this.#sets.get(id);
    if (headers === undefined) {
      const text = this.#select.get(id)?.['headers'];
      if (typeof text !== 'string') throw new MarketDataError('STORE_DAMAGED', `the log has lost its header set ${id}`);
      headers = Object.freeze(JSON.parse(text) as Headers);
      remember(this.#sets, id, headers);
    }
    return headers;
  }

  #idOfText(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = Number(this.#find.get(text)?.['id'] ?? this.#insert.run(text).lastInsertRowid);
      remember(this.#ids, text, id);
    }
    return id;
  }
}

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  if (map.size >= REMEMBERED_SETS) map.clear();
  map.set(key, value);
}
