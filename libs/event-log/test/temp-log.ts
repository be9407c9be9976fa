import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogHarness } from '../src/contract/harness.js';
import { EmbeddedEventLog } from '../src/embedded/embedded-event-log.js';

/** A folder of its own that goes away with the test. */
export function tempFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'event-log-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function embeddedHarness(): Promise<LogHarness> {
  const folder = tempFolder();
  return {
    open: (topics) => EmbeddedEventLog.open({ path: join(folder.path, 'log', 'events.db'), topics }),
    dispose: async () => folder.remove(),
  };
}
