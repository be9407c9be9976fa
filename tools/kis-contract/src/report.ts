import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKS, type Check, type Finding, type Verdict } from './findings.ts';
import type { Redactor } from './redactor.ts';

const FACTS = 'docs/venues/kis.md';
const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Prints each finding with the line of the documentation that says what is expected. */
export class Report {
  readonly #redactor: Redactor;
  readonly #print: (line: string) => void;
  readonly #lines = factLines();
  readonly #counts: Record<Verdict, number> = { ok: 0, DIFFERS: 0, 'NOT SEEN': 0 };

  constructor(redactor: Redactor, print: (line: string) => void) {
    this.#redactor = redactor;
    this.#print = print;
  }

  /** In the order of the checks. */
  add(findings: readonly Finding[]): void {
    const ordered = findings.toSorted((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check));
    for (const { check, verdict, says } of ordered) {
      this.#counts[verdict] += 1;
      this.note(`${verdict.padEnd(8)}  ${check.padEnd(21)}  ${says}  (${FACTS}:${this.#lines.get(check) ?? '?'})`);
    }
  }

  note(text: string): void {
    this.#print(this.#redactor.clean(text));
  }

  /** The last line. */
  close(): void {
    const { ok, DIFFERS: differs } = this.#counts;
    this.note(`kis contract run: ${ok} ok, ${differs} differ, ${this.#counts['NOT SEEN']} not seen`);
  }

  get hasDifferences(): boolean {
    return this.#counts.DIFFERS > 0;
  }
}

/** Where in the documentation of the venue the fact of each check stands: beside its name in backquotes. */
export function factLines(): ReadonlyMap<Check, number> {
  const lines = new Map<Check, number>();
  for (const [index, line] of readFileSync(join(ROOT, FACTS), 'utf8').split('\n').entries()) {
    for (const [, name] of line.matchAll(/`([a-z0-9]+\.[A-Za-z0-9]+)`/g)) lines.set(name as Check, index + 1);
  }
  return lines;
}
