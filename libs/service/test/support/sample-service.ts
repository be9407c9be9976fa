import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import {
  choice,
  defineSettings,
  runService,
  secretText,
  serviceGroup,
  serviceSettings,
  type ManagedService,
} from '../../src/index.js';

/** A service for tests: prints what happens to it, a word a line, and misbehaves as `SAMPLE_MODE` says. */
const MODES = [
  'well-behaved',
  'slow-to-start',
  'slow-to-stop',
  'stuck',
  'fails-to-start',
  'fails-to-stop',
  'rejects',
  'throws',
  'throws-twice',
  'no-venue-left',
  'done',
  'leaves-open',
  'tells-secret',
] as const;

const schema = defineSettings({
  app: 'sample',
  tree: {
    service: serviceGroup('sample'),
    sample: {
      mode: { env: 'SAMPLE_MODE', type: choice(...MODES), default: 'well-behaved', describe: 'How it misbehaves' },
      password: { env: 'SAMPLE_PASSWORD', type: secretText(), secret: true, describe: 'A secret' },
    },
  },
});

process.exitCode = await runService(
  {
    schema,
    description: 'Does nothing, well or badly.',
    settingsOf: ({ service, sample }) => ({ service: serviceSettings(service), ...sample }),
    compose: ({ mode, password }, { logger }) => {
      if (mode === 'tells-secret') logger.info(`the password is ${String(password)}`);
      return sampleService(mode);
    },
  },
  process.argv.slice(2),
);

function sampleService(mode: (typeof MODES)[number]): ManagedService {
  const end = Promise.withResolvers<undefined>();
  return {
    ended: end.promise.then(() => undefined),
    start: async (stopping) => {
      say('starting');
      if (mode === 'slow-to-start') await sleep(600_000, undefined, { signal: stopping });
      if (mode === 'fails-to-start') throw new MarketDataError('CONFIG_PORT_IN_USE', 'the port is taken');
      if (mode === 'leaves-open') createServer().listen(0);
      say('started');
      if (mode === 'rejects') void Promise.reject(new MarketDataError('STORE_REFUSED', 'nobody waits for this'));
      if (mode === 'throws' || mode === 'throws-twice') later();
      if (mode === 'no-venue-left') end.reject(new MarketDataError('CONNECTION_NO_VENUE_LEFT', 'upbit gave up'));
      if (mode === 'done') end.resolve(undefined);
    },
    stop: async (atOnce) => {
      say('stopping');
      if (mode === 'throws-twice') later();
      if (mode === 'slow-to-stop' || mode === 'throws-twice')
        await sleep(600_000, 0, { signal: atOnce }).catch(() => 0);
      if (mode === 'stuck') await sleep(600_000);
      if (mode === 'fails-to-stop') throw new MarketDataError('PUBLISH_FAILED', '3 records are lost');
      say('stopped');
    },
  };
}

function say(word: string): void {
  process.stdout.write(`${word}\n`);
}

function later(): void {
  setTimeout(() => {
    throw new TypeError('a mistake');
  }, 1);
}
