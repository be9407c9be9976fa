import {
  boolean,
  bytes,
  choice,
  defineSettings,
  duration,
  list,
  orEmpty,
  path,
  rule,
  secretText,
  text,
  url,
  type SettingsTree,
} from '../../src/index.js';

const linger = {
  env: 'KAFKA_LINGER',
  type: duration({ min: '0ms', max: '1s' }),
  default: '5ms',
  describe: 'How long a first record waits',
  flag: '--linger <time>',
} as const;

const requestTimeout = {
  env: 'KAFKA_REQUEST_TIMEOUT',
  type: duration({ min: '100ms', max: '10m' }),
  default: '30s',
  describe: 'Longest wait for an answer',
} as const;

/** One setting of every kind of behaviour. */
const sampleTree = {
  markets: {
    env: 'MARKETS',
    type: list(text('a market')),
    required: true,
    example: 'upbit:KRW-BTC',
    describe: 'What to collect',
    flag: '--markets <codes>',
  },
  venue: { env: 'VENUE', type: text(), describe: 'The venue of markets that name none' },
  service: {
    logLevel: { env: 'LOG_LEVEL', type: choice('debug', 'info'), default: 'info', describe: 'Least severe lines' },
  },
  kafka: {
    linger,
    requestTimeout,
    brokers: { env: 'KAFKA_BROKERS', type: list(text()), default: 'localhost:9092', describe: 'Brokers' },
    idempotent: { env: 'KAFKA_IDEMPOTENT', type: boolean(), default: 'true', describe: 'Whether nothing is doubled' },
  },
  buffer: {
    maxBytes: {
      env: 'BUFFER_MAX_BYTES',
      type: bytes({ min: '1KiB', max: '1GiB' }),
      default: '16MiB',
      describe: 'Room',
    },
    spillDir: {
      env: 'SPILL_DIR',
      type: orEmpty('nothing on disk', path()),
      default: '.aipx/spill',
      describe: 'Folder for trades',
    },
  },
  kis: {
    apiSecret: { env: 'KIS_API_SECRET', type: secretText(), secret: true, describe: 'Secret of the key' },
    apiUrl: { env: 'KIS_API_URL', type: url('https'), default: 'https://kis.example', describe: 'Where requests go' },
    silenceTimeout: {
      env: 'KIS_SILENCE_TIMEOUT',
      type: duration({ min: '1s', max: '1h' }),
      default: '30s',
      aliases: ['KIS_HEARTBEAT_INTERVAL'],
      describe: 'Silence that counts as death',
    },
  },
} as const satisfies SettingsTree;

export const sampleSchema = defineSettings({
  app: 'sample',
  tree: sampleTree,
  rules: [
    rule([linger, requestTimeout], (waits, timeout) =>
      waits < timeout ? [] : [{ setting: linger, says: `${waits} ms is no less than KAFKA_REQUEST_TIMEOUT` }],
    ),
  ],
  otherApps: { kafka: ['KAFKA_GROUP_ID'], recorder: ['BATCH_SIZE'] },
});
