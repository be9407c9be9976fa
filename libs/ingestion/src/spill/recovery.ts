import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { LOCK_FILE } from './folder-claim.js';
import type { SavedMark } from './mark-file.js';
import { SegmentReader, type DamageStep } from './segment-reader.js';
import { SET_ASIDE } from './segment-store.js';
import { firstInName, type Segment } from './segment.js';
import { damageError } from './spill-error.js';
import type { SequenceRange } from './spill-entry.js';

export const MARK_FILE = 'mark';
/** Not the queue's own: `unnamed-past.ts` and `listened-until.ts` keep them beside the records. */
export const UNNAMED_PAST_FILE = 'unnamed-past';
export const LISTENED_UNTIL_FILE = 'listened-until';
const BESIDE = [UNNAMED_PAST_FILE, LISTENED_UNTIL_FILE].flatMap((name) => [name, `${name}.new`]);
const KNOWN_FILES: ReadonlySet<string> = new Set([LOCK_FILE, MARK_FILE, ...BESIDE]);

export interface Recovered {
  /** Those with records that are not in the log, ascending. */
  readonly segments: readonly Segment[];
  readonly setAsideBytes: number;
  readonly mark: number;
  readonly next: number;
  readonly waiting: number;
  readonly holes: readonly SequenceRange[];
}

/**
 * Reads the whole folder as an earlier process left it. A record whose writing was cut short at the very end was never
 * acknowledged to anybody and is cut off. Whatever else cannot be read is told, once each, and stepped over.
 */
export class Recovery {
  readonly #folder: string;
  readonly #onDamage: (error: MarketDataError) => void;
  readonly #holes: SequenceRange[] = [];
  #mark = 0;
  #expected = 0;
  #waiting = 0;

  constructor(folder: string, onDamage: (error: MarketDataError) => void) {
    this.#folder = folder;
    this.#onDamage = onDamage;
  }

  run(saved: SavedMark): Recovered {
    const { files, setAsideBytes } = this.#list();
    if (files.length > 0) this.#checkMark(saved);
    this.#mark = saved.mark ?? files[0]?.first ?? 0;
    this.#expected = this.#mark;
    const segments = files.filter((file, index) => this.#recover(file, files[index + 1]?.first));
    return {
      segments,
      setAsideBytes,
      mark: this.#mark,
      next: Math.max(this.#mark, this.#expected),
      waiting: this.#waiting,
      holes: this.#holes,
    };
  }

  #list(): { files: Segment[]; setAsideBytes: number } {
    const files: Segment[] = [];
    let setAsideBytes = 0;
    for (const item of readdirSync(this.#folder, { withFileTypes: true })) {
      const path = join(this.#folder, item.name);
      const first = firstInName(path);
      if (item.isFile() && first !== undefined) {
        files.push({ path, first, end: first, bytes: statSync(path).size, isDamaged: false });
      } else if (item.isFile() && item.name.endsWith(SET_ASIDE)) {
        setAsideBytes += statSync(path).size;
      } else if (!KNOWN_FILES.has(item.name)) {
        this.#onDamage(strangerError(path));
      }
    }
    return { files: files.sort((one, other) => one.first - other.first), setAsideBytes };
  }

  #checkMark({ mark, isDamaged }: SavedMark): void {
    if (mark === undefined || isDamaged) this.#onDamage(markError(join(this.#folder, MARK_FILE)));
  }

  /** @returns whether the file stays. `bound` is the first sequence of the file behind it. */
  #recover(file: Segment, bound: number | undefined): boolean {
    if (bound !== undefined && bound <= this.#mark) return this.#remove(file);
    this.#enter(file);
    const damage = this.#scan(file, bound ?? Number.MAX_SAFE_INTEGER);
    if (bound !== undefined) {
      this.#miss(file, bound, damage);
      this.#expected = bound;
    } else if (damage?.isCut === true) {
      truncateSync(file.path, damage.position);
      file.bytes = damage.position;
    } else if (damage !== undefined) {
      // At least one record stood there; how many, nobody can tell.
      this.#tell(file, damage, undefined);
      this.#skip(this.#expected + 1);
    }
    file.end = this.#expected;
    return file.end > file.first || this.#remove(file);
  }

  /** Files in front of this one may be gone. */
  #enter(file: Segment): void {
    if (file.first > this.#expected) {
      const records = file.first - this.#expected;
      this.#onDamage(missingError(this.#folder, this.#expected, records));
      this.#skip(file.first);
    }
    this.#expected = file.first;
  }

  /** Goes over the file's records. @returns the damage it ends with */
  #scan(file: Segment, bound: number): DamageStep | undefined {
    const reader = new SegmentReader(file);
    try {
      let damage: DamageStep | undefined;
      for (;;) {
        const step = reader.next(file.bytes, { from: this.#expected, to: bound });
        if (step === undefined) return damage;
        if (step.kind === 'damage') {
          damage = step;
          continue;
        }
        this.#miss(file, step.sequence, damage);
        damage = undefined;
        if (step.sequence >= this.#mark) this.#waiting += 1;
        this.#expected = step.sequence + 1;
      }
    } finally {
      reader.close();
    }
  }

  /** The next record is `found`: what should stand before it is lost. Damage to what is in the log already is none. */
  #miss(file: Segment, found: number, damage: DamageStep | undefined): void {
    const records = Math.max(0, found - Math.max(this.#expected, this.#mark));
    const position = damage?.position ?? file.bytes;
    if (records > 0 || (damage !== undefined && found >= this.#mark)) {
      this.#tell(file, { position, bytes: damage?.bytes ?? 0 }, records);
    }
    this.#skip(found);
  }

  #tell(file: Segment, { position, bytes }: Pick<DamageStep, 'position' | 'bytes'>, records: number | undefined): void {
    file.isDamaged = true;
    this.#onDamage(damageError({ path: file.path, position, bytes, records }));
  }

  #skip(to: number): void {
    const from = Math.max(this.#expected, this.#mark);
    if (from < to) this.#holes.push({ from, to });
    this.#expected = to;
  }

  #remove(file: Segment): false {
    rmSync(file.path, { force: true });
    return false;
  }
}

function strangerError(path: string): MarketDataError {
  return new MarketDataError(
    'STORE_DAMAGED',
    `${path} does not belong to the spill queue; it is left alone. Move it away`,
    { context: { path } },
  );
}

function markError(path: string): MarketDataError {
  return new MarketDataError(
    'STORE_DAMAGED',
    `${path} is missing or damaged: records that were sent last may be sent again`,
    { context: { path } },
  );
}

function missingError(folder: string, first: number, records: number): MarketDataError {
  return new MarketDataError(
    'STORE_DAMAGED',
    `${folder} is damaged: the files with ${records} records from number ${first} on are missing; the rest is kept`,
    { context: { folder, first, records } },
  );
}
