import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../src/findings.ts';
import { readOptions } from '../src/options.ts';
import { factLines } from '../src/report.ts';
import { contractRun } from './support/contract-run.ts';

const FACTS = readFileSync(new URL('../../../docs/venues/kis.md', import.meta.url), 'utf8');

describe('without keys', () => {
  it.each([['virtual'], ['real']])(
    'one loud line says what to set for the %s servers, and the run has not failed',
    async (host) => {
      const run = await contractRun([`--${host}`], { CI: 'true' });
      expect(run.output).toBe(
        'SKIPPED kis contract run: nothing was checked; set KIS_API_KEY and KIS_API_SECRET (or KIS_ACCOUNTS_FILE) ' +
          `to a key of the ${host} servers, get a key at https://apiportal.koreainvestment.com\n`,
      );
      expect(run.errors).toBe('');
      expect(run.code).toBe(0);
    },
  );
});

describe('a run that cannot begin', () => {
  it('says which half of the key is missing', async () => {
    const run = await contractRun([], { KIS_API_KEY: 'PSonlyTheKey' });
    expect(run.errors).toContain('CONFIG_ACCOUNT: KIS_API_SECRET must be set');
    expect(run.errors).not.toContain('PSonlyTheKey');
    expect(run.code).toBe(2);
  });

  it('shows how it is called when it is asked to, which is no fault', async () => {
    const run = await contractRun(['--help'], {});
    expect(run.output).toMatch(/^usage: npm run kis:contract /);
    expect([run.errors, run.code]).toEqual(['', 0]);
  });

  it('shows how it is called when a flag is wrong', async () => {
    const run = await contractRun(['--market', '005930'], {});
    expect(run.errors).toContain("CONFIG_INVALID: Unknown option '--market'");
    expect(run.errors).toContain('usage: npm run kis:contract');
    expect(run.code).toBe(2);
  });

  it.each([
    [['--virtual', '--real'], '--virtual and --real are both given'],
    [['--minutes', '0'], '--minutes: "0" is not 0.01 to 60'],
    [['--markets', '005930,000660,005380,035420,066570'], '5 codes; one session has room for 4'],
    [['--markets', '5930'], 'did you mean 005930?'],
  ])('says what is wrong with %j', (args, says) => {
    expect(() => readOptions(args)).toThrow(says);
  });
});

describe('the documentation of the venue', () => {
  it('has the fact of every check, once', () => {
    const lines = factLines();
    for (const check of CHECKS) {
      expect(FACTS.split(`\`${check}\``), check).toHaveLength(2);
      expect(FACTS.split('\n')[(lines.get(check) ?? 0) - 1], check).toContain(`\`${check}\``);
    }
  });
});
