import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { noKafka, ON_KAFKA, ownName } from '../support/kafka-log.js';

const SUPPORT = join(import.meta.dirname, '../support');
const RESOLVE_SOURCES = join(import.meta.dirname, '../../../../tools/testing/resolve-sources.mjs');

describe.skipIf(noKafka)(`A process with a log on ${ON_KAFKA}`, () => {
  it('ends by itself once the log is closed, and nothing was written to its console: no warning, no log', async () => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=@aipx/source',
        '--import',
        RESOLVE_SOURCES,
        join(SUPPORT, 'use-kafka-once.ts'),
        inject('kafka').brokers[0] ?? '',
        ownName('market.tick'),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(output).toBe('');
    expect(code).toBe(0);
  });
});
