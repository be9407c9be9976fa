import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { Client } from 'pg';
import type { DatabaseAddress } from '../../src/database-address.js';

const run = promisify(execFile);

export interface TlsServer {
  /** Of a database that takes encrypted connections only. */
  readonly address: DatabaseAddress;
  /** PEM of the certificate, which vouches for itself. */
  readonly certificate: string;
  stop(): Promise<void>;
}

/** A PostgreSQL with a certificate of its own, made out to its address. Its database `postgres` can be had in the clear. */
export async function startTlsServer(signal: AbortSignal): Promise<TlsServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'aipx-tls-'));
  const cluster = join(dataDir, 'cluster');
  const first = await startEmbeddedPostgres({ dataDir, signal });
  const certificate = await makeCertificate(cluster, first.host);
  await switchOn(first);
  await writeFile(
    join(cluster, 'pg_hba.conf'),
    `host postgres all 127.0.0.1/32 scram-sha-256\nhostssl ${first.database} all 127.0.0.1/32 scram-sha-256\n`,
  );
  await first.stop();
  const { host, port, user, password, database, ...server } = await startEmbeddedPostgres({ dataDir, signal });
  return {
    address: { host, port, user, password, database },
    certificate,
    stop: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Certificate and key as PostgreSQL looks for them; the key belongs to whom the server runs as, and to nobody else. */
async function makeCertificate(cluster: string, ip: string): Promise<string> {
  const [key, certificate] = [join(cluster, 'server.key'), join(cluster, 'server.crt')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', key, '-out', certificate, '-subj', '/CN=aipx-test', '-addext', `subjectAltName=IP:${ip}`],
  ]);
  const { uid, gid } = await stat(cluster);
  for (const file of [key, certificate]) {
    await chmod(file, 0o600);
    await chown(file, uid, gid);
  }
  return await readFile(certificate, 'utf8');
}

async function switchOn(address: DatabaseAddress): Promise<void> {
  const client = new Client({ ...address });
  await client.connect();
  await client.query('ALTER SYSTEM SET ssl = on');
  await client.end();
}

/** What a machine lacks for it; `undefined` when nothing. */
export async function tlsUnavailable(): Promise<string | undefined> {
  return await run('openssl', ['version']).then(
    () => undefined,
    () => 'no openssl on the path',
  );
}
