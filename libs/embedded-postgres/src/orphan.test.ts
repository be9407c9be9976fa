import { describe, expect, it } from 'vitest';
import { clusterServedBy } from './orphan.js';

describe('the cluster that a command line names', () => {
  it.each([
    ['/opt/bin/postgres -D /data/cluster -p 5432 -c fsync=on', '/data/cluster'],
    [
      '/My Apps/bin/postgres -D /Users/me/Application Support/cluster -p 1 -c a=b',
      '/Users/me/Application Support/cluster',
    ],
    ['postgres -D /data/cluster', '/data/cluster'],
  ])('%s', (commandLine, cluster) => {
    expect(clusterServedBy(commandLine)).toBe(cluster);
  });

  it.each(['', 'node server.js -D /data/cluster', 'mypostgres -D /data/cluster', 'postgres -p 5432'])(
    'is none in "%s"',
    (commandLine) => {
      expect(clusterServedBy(commandLine)).toBeUndefined();
    },
  );
});
