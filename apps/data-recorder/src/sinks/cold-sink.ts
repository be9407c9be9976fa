import type { EventLog } from '@aipx/event-log';
import { FolderObjectStore, LakeStore, ParquetWorker, S3ObjectStore, type ObjectStore } from '@aipx/lake';
import { ColdRecorder, type ColdCounts } from '@aipx/recording';
import type { LakeSettings, LakeTarget } from '../settings.js';
import { opened } from './opening.js';
import type { OpenSink, SinkContext, SinkHooks } from './sink.js';

export interface ColdSinkOptions {
  readonly log: EventLog;
  readonly lake: LakeSettings;
  readonly maxBufferBytes: number;
  /** Whether this sink sends what cannot be decoded to the dead letters: when there is no other that does. */
  readonly deadLetters: boolean;
  readonly hooks: SinkHooks;
}

/** Opens Parquet in a bucket or a folder. Waits for one that is away. */
export async function openCold(options: ColdSinkOptions, context: SinkContext): Promise<OpenSink<ColdCounts>> {
  const { log, lake, maxBufferBytes, deadLetters, hooks } = options;
  const { signal } = context;
  const objects = await opened(() => openObjects(lake.target, lake.prefix, context), context);
  const encoder = await ParquetWorker.start(lake.compression);
  const store = new LakeStore({
    objects,
    log,
    encoder,
    prefix: lake.prefix,
    onFault: ({ error }) => {
      hooks.onStoreFailed();
      context.onFault(error);
    },
  });
  const recorder = new ColdRecorder({
    store,
    log,
    signal,
    batchRows: lake.batchRows,
    batchBytes: lake.batchBytes,
    batchTimeoutMs: lake.batchTimeoutMs,
    maxBufferBytes,
    deadLetters,
    onFault: context.onFault,
    onStored: (_, millis) => hooks.onStored(millis),
  });
  return { recorder, counts: () => recorder.counts, close: () => encoder.close() };
}

async function openObjects(target: LakeTarget, prefix: string, context: SinkContext): Promise<ObjectStore> {
  if (target.kind === 'folder') return await FolderObjectStore.open(target.folder);
  const { signal, onFault } = context;
  const { bucket, region, endpoint, singleWriter } = target;
  return await S3ObjectStore.open({
    bucket,
    region,
    ...(endpoint !== undefined && { endpoint }),
    prefix,
    singleWriter,
    signal,
    onFault: ({ error }) => onFault(error),
  });
}
