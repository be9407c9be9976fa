import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { COMPOSE_FILE } from '../src/cli/docker.js';
import { PARTS, WELL_KNOWN_PORTS } from '../src/cli/parts.js';
import { KAFKA_VERSION } from '../src/kafka/artifacts.js';
import { nodeProperties } from '../src/kafka/layout.js';
import { VERSITYGW_VERSION } from '../src/s3/programs.js';
import { S3_REGION } from '../src/s3/start.js';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly ports: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = parse(await readFile(COMPOSE_FILE, 'utf8')) as Compose;

function service(name: string): Service {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker/compose.yaml has no ${name}`);
  return found;
}

describe('docker/compose.yaml', () => {
  it('has the parts of the stack, each pinned, with a health check and a volume of its own', () => {
    expect(Object.keys(compose.services)).toEqual([...PARTS]);
    for (const part of PARTS) {
      expect(service(part).image).toMatch(/:v?\d+\.\d+\.\d+/);
      expect(service(part).healthcheck.test[0]).toMatch(/^CMD/);
      expect(service(part).volumes).toEqual([expect.stringMatching(`^${part}:/`)]);
      expect(compose.volumes).toHaveProperty(part);
    }
  });

  it('has the same addresses, and is reached from this machine only', () => {
    const names = { kafka: 'KAFKA_PORT', postgres: 'TIMESCALEDB_PORT', redis: 'REDIS_PORT', s3: 'S3_PORT' };
    for (const part of PARTS) {
      const port = `127.0.0.1:\${${names[part]}:-${WELL_KNOWN_PORTS[part]}}:`;
      expect(service(part).ports).toEqual([expect.stringContaining(port)]);
    }
    expect(service('kafka').environment?.['KAFKA_ADVERTISED_LISTENERS']).toContain(
      `HOST://127.0.0.1:\${KAFKA_PORT:-${WELL_KNOWN_PORTS.kafka}}`,
    );
  });

  it('has the same versions and the same region', () => {
    expect(service('kafka').image).toBe(`apache/kafka:${KAFKA_VERSION}`);
    expect(service('s3').image).toBe(`versity/versitygw:${VERSITYGW_VERSION}`);
    expect(service('s3').command).toContain(S3_REGION);
  });

  it('takes names and passwords from the same settings as the services', () => {
    expect(service('postgres').environment).toMatchObject({
      POSTGRES_USER: '${TIMESCALEDB_USER:-aipx}',
      POSTGRES_PASSWORD: '${TIMESCALEDB_PASSWORD:-aipx}',
      POSTGRES_DB: '${TIMESCALEDB_DB:-aipx_timeseries}',
    });
    expect(service('s3').environment).toMatchObject({
      ROOT_ACCESS_KEY_ID: expect.stringContaining('${AWS_ACCESS_KEY_ID:-') as string,
      ROOT_SECRET_ACCESS_KEY: expect.stringContaining('${AWS_SECRET_ACCESS_KEY:-') as string,
    });
  });

  it('gives its broker the settings of the native one', () => {
    const node = { id: 1, port: 1, controllerPort: 2 };
    const native = nodeProperties({ clusterId: '', nodes: [node] }, node, '');
    const own = service('kafka').environment ?? {};
    const ofPlace = ['listener', 'controller.quorum', 'log.dirs', 'default.replication', 'min.insync'];
    for (const [name, value] of Object.entries(native)) {
      if (ofPlace.some((part) => name.includes(part))) continue;
      expect(own).toHaveProperty(`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`, value);
    }
  });
});
