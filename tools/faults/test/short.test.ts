import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { kafkaUnavailable, versitygwUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';

const FAULTS = resolve(import.meta.dirname, '../src/main.ts');
const LONGEST_MS = 15 * 60_000;

const withoutKcat = spawnSync('kcat', ['-V']).error !== undefined;
const missing = [
  ...(withoutKcat ? ['kcat, a Kafka client that is not ours (apt-get install kcat)'] : []),
  ...[kafkaUnavailable(), versitygwUnavailable()].filter((reason) => reason !== undefined),
];
const why = missing.length === 0 ? '' : ` (needs ${missing.join('; ')})`;

describe.skipIf(missing.length > 0)(`the fault run in its short form${why}`, () => {
  it(
    'kills the recorder in each phase, makes half of the other faults, and finds nothing lost or doubled',
    async () => {
      const args = ['--disable-warning=TimeoutNegativeWarning', FAULTS, '--short'];
      const run = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      onTestFinished(() => void run.kill());
      const [report, steps, [code]] = await Promise.all([
        text(run.stdout),
        text(run.stderr),
        once(run, 'close') as Promise<[number | null]>,
      ]);
      expect(report.trimEnd().split('\n').at(-1), `${report}${steps}`).toBe('0 lost, 0 doubled');
      expect(code, `${report}${steps}`).toBe(0);
      expect(report).toContain('8 kills');
    },
    LONGEST_MS,
  );
});
