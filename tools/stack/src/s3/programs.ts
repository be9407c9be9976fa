import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fetchOnce } from '../fetch-once.js';
import { findProgram, run } from '../programs.js';
import { cacheFolder } from '../workspace.js';

export const VERSITYGW_VERSION = 'v1.8.0';
const BUILT = cacheFolder(`versitygw-${VERSITYGW_VERSION}`);

/** Why an S3 server with conditional writes cannot run here and how to get it; `undefined` when it can. */
export function versitygwUnavailable(): string | undefined {
  if (existsSync(BUILT) || findProgram('go') !== undefined) return undefined;
  return (
    `the S3 server versitygw ${VERSITYGW_VERSION}, which keeps to If-None-Match, is built by Go once, and there is no go on ` +
    'the PATH; install it (https://go.dev/dl; macOS: brew install go)'
  );
}

/** Builds the server unless it is there already. Returns its program. */
export async function fetchVersitygw(signal: AbortSignal, onLog: (line: string) => void): Promise<string> {
  await fetchOnce(BUILT, signal, async (unfinished) => {
    onLog(`building the S3 server versitygw ${VERSITYGW_VERSION} by Go (once; one to three minutes)`);
    const module = `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW_VERSION}`;
    await run('go', ['install', '-trimpath', '-ldflags=-s -w', module], { env: { GOBIN: unfinished }, signal });
  });
  return join(BUILT, 'versitygw');
}

/** The script that runs s3rver: from npm, so it is always there. */
export function s3rverScript(): string {
  return join(dirname(createRequire(import.meta.url).resolve('s3rver/package.json')), 'bin', 's3rver.js');
}
