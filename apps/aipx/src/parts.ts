import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog, type EventLog } from '@aipx/event-log';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import type { LakeSource } from '@aipx/inspection';
import { FolderObjectStore, S3ObjectReader } from '@aipx/lake';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { invocationFolder } from '@aipx/service';
import type { DatabaseAddress } from '@aipx/timescale';
import { databaseAddress, type Settings } from './settings.js';

/** Where log, database and lake are: what the settings name, or the data folder of `npm start`. */
export interface Parts {
  log(): Promise<EventLog>;
  database(): Promise<DatabaseAddress>;
  lake(): Promise<LakeSource>;
}

const TOPICS = [...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC];
/** How long a broker may be away before a command says so and ends. */
const OPENING_MS = 30_000;

/** @param closing gets what must be closed when the command has done its work */
export function partsOf(
  settings: Settings,
  dataDir: string | undefined,
  closing: AsyncDisposableStack,
  signal: AbortSignal,
): Parts {
  return dataDir === undefined
    ? settingsParts(settings, closing, signal)
    : folderParts(resolve(invocationFolder(), dataDir), closing, signal);
}

function settingsParts(settings: Settings, closing: AsyncDisposableStack, signal: AbortSignal): Parts {
  return {
    log: async () => {
      const log = await openKafka(settings, signal);
      closing.defer(() => log.close());
      return log;
    },
    database: () => databaseAddress(settings),
    lake: async () => {
      const { lake, s3 } = settings;
      const { bucket, region, endpoint, prefix } = s3;
      if (lake.dir !== undefined) {
        return await folderLake(resolve(invocationFolder(), lake.dir), prefix, `LAKE_DIR ${lake.dir}`);
      }
      const objects = new S3ObjectReader({ bucket, region, endpoint, signal });
      closing.defer(() => {
        objects.close();
      });
      return { objects, prefix };
    },
  };
}

async function openKafka({ kafka }: Settings, signal: AbortSignal): Promise<EventLog> {
  const { brokers, clientId, requestTimeout } = kafka;
  const limit = AbortSignal.timeout(OPENING_MS);
  let last: MarketDataError | undefined;
  try {
    return await KafkaEventLog.open({
      brokers,
      clientId,
      topics: Object.fromEntries(TOPICS.map((topic) => [topic, 1])),
      replication: 1,
      createTopics: false,
      compression: 'none',
      acks: 'all',
      requestTimeoutMs: requestTimeout,
      signal: AbortSignal.any([signal, limit]),
      onFault: (error) => {
        last = error;
      },
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw limit.aborted && last !== undefined ? last : asMarketDataError(cause, 'CONNECTION_FAILED');
  }
}

/** As `npm start` lays its folder out: one partition a topic, everything below one name. */
function folderParts(folder: string, closing: AsyncDisposableStack, signal: AbortSignal): Parts {
  const path = join(folder, 'event-log.sqlite');
  if (!existsSync(path)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `--data-dir ${folder} holds no event log; expected the folder of an npm start, such as .aipx`,
    );
  }
  return {
    log: async () => {
      const log = await EmbeddedEventLog.open({
        path,
        topics: Object.fromEntries(TOPICS.map((topic) => [topic, 1])),
        signal,
      });
      closing.defer(() => log.close());
      return log;
    },
    database: async () => {
      const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal });
      closing.defer(() => postgres.stop());
      const { host, port, user, password, database } = postgres;
      return { host, port, user, password, database };
    },
    lake: async () => await folderLake(join(folder, 'lake'), 'market-data', `--data-dir ${folder}`),
  };
}

async function folderLake(root: string, prefix: string, named: string): Promise<LakeSource> {
  if (!existsSync(root)) throw new MarketDataError('CONFIG_INVALID', `${named}: there is no folder ${root}`);
  return { objects: await FolderObjectStore.open(root), prefix, root };
}
