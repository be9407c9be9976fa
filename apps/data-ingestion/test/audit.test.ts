import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { kafkaUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';

const AUDIT = resolve(import.meta.dirname, '../../../tools/ingestion-audit/src/main.ts');
const LONGEST_MS = 15 * 60_000;

const withoutKcat = spawnSync('kcat', ['-V']).error !== undefined;
const missing = [
  ...(withoutKcat ? ['kcat, a Kafka client that is not ours (apt-get install kcat)'] : []),
  ...[kafkaUnavailable()].filter((reason) => reason !== undefined),
];
const why = missing.length === 0 ? '' : ` (needs ${missing.join('; ')})`;

describe.skipIf(missing.length > 0)(`the audit in its short form${why}`, () => {
  it(
    'finds nothing lost, doubled or out of order, and every loss named, through cuts, a broker that restarts and stays away, SIGTERM and SIGKILL',
    async () => {
      const audit = spawn(process.execPath, [AUDIT, '--short'], { stdio: ['ignore', 'pipe', 'pipe'] });
      onTestFinished(() => void audit.kill());
      const [report, complaints, [code]] = await Promise.all([
        text(audit.stdout),
        text(audit.stderr),
        once(audit, 'close') as Promise<[number | null]>,
      ]);
      expect(report.trimEnd().split('\n').at(-1), `${report}${complaints}`).toBe('0 lost, 0 doubled, 0 out of order');
      expect(code).toBe(0);
      expect(report.match(/ ok$/gm)).toHaveLength(5);
    },
    LONGEST_MS,
  );
});
