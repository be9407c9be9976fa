import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TRANSITIONS, type ConnectionState, type ConnectionTrigger } from '../src/states.js';

const STATES = Object.keys(TRANSITIONS) as ConnectionState[];
const TRIGGERS: readonly ConnectionTrigger[] = ['connect', 'opened', 'lost', 'failed', 'close'];

describe('the table of states', () => {
  it('stands in the README as it is in the code', () => {
    const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const table = [
      row(['state', ...TRIGGERS.map((trigger) => `\`${trigger}\``)]),
      row(['state', ...TRIGGERS].map(() => '---')),
      ...STATES.map((state) => row([state, ...TRIGGERS.map((trigger) => TRANSITIONS[state][trigger] ?? '')])),
    ];
    const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
    const written = /^\| state [^]*?(?=\n\n)/m.exec(readme)?.[0] ?? '';
    // Widths of columns are the formatter's.
    const squeezed = (text: string) => text.replaceAll(/-+/g, '---').replaceAll(/ +/g, ' ');
    expect(squeezed(written).split('\n')).toEqual(table.map(squeezed));
  });

  it('reaches every state from DISCONNECTED', () => {
    const reached = new Set<ConnectionState>(['DISCONNECTED']);
    for (const state of reached) for (const next of Object.values(TRANSITIONS[state])) reached.add(next);
    expect([...reached].sort()).toEqual([...STATES].sort());
  });

  it('has no way out of FAILED, and lets close end every wish to be connected', () => {
    expect(TRANSITIONS.FAILED).toEqual({});
    for (const state of ['CONNECTING', 'CONNECTED', 'RECONNECTING'] as const) {
      expect(TRANSITIONS[state].close).toBe('DISCONNECTED');
    }
  });
});
