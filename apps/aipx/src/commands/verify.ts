import { verify } from '@aipx/inspection';
import { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { HotReader } from '@aipx/timescale';
import { jsonReport, textReport } from '../output/verify-report.js';
import { partsOf } from '../parts.js';
import { readSettings, type Settings } from '../settings.js';
import { ageOf, choiceOf, countOf, offsetsOf, timesOf } from '../values.js';
import type { CommandContext, CommonFlags } from './context.js';

export interface VerifyFlags extends CommonFlags {
  readonly dataDir?: string;
  readonly from?: string;
  readonly to?: string;
  readonly topic?: string;
  readonly partition?: string;
  readonly offsets?: string;
  readonly wait?: string;
  readonly hotRetention?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

const TOPICS = Object.values(EVENT_TOPICS);

/** @returns 0 when everything is stored once and equal, 1 when not, 3 when there was nothing that could be compared */
export async function verifyCommand(flags: VerifyFlags, { out, note, signal }: CommandContext): Promise<number> {
  const range = rangeOf(flags);
  const waitMs = flags.wait === undefined ? 0 : ageOf('--wait', flags.wait);
  const given = flags.hotRetention === undefined ? undefined : ageOf('--hot-retention', flags.hotRetention);
  const settings = await readSettings(flags.config, note);
  const report = flags.json ? jsonReport(out, note) : textReport(out, note, flags.all ?? false);

  await using closing = new AsyncDisposableStack();
  const parts = partsOf(settings, flags.dataDir, closing, signal);
  const log = await parts.log();
  const isWhole = flags.dataDir !== undefined;
  const address = isWhole || settings.timescaledb.writeEnabled ? await parts.database() : undefined;
  const lake = isWhole || settings.s3.writeEnabled ? await parts.lake() : undefined;
  const retentionMs = given ?? configuredRetention(settings);
  const startedAt = performance.now();
  const result = await verify({
    log,
    // The partitions of a folder are always the same.
    ...(!isWhole && { reopenLog: () => parts.log() }),
    ...(address !== undefined && { openDatabase: () => HotReader.open(address, signal) }),
    ...(lake !== undefined && { lake }),
    range,
    waitMs,
    ...(retentionMs !== undefined && { databaseRetentionMs: retentionMs }),
    onFinding: (finding) => {
      report.finding(finding);
    },
    onProgress: (progress) => {
      report.progress(progress);
    },
    signal,
  });
  report.end(result, (performance.now() - startedAt) / 1000);
  if (result.findings > 0) return 1;
  const isNothingCompared = result.scopes.every(({ compared }) => compared.begin === compared.end);
  return isNothingCompared && result.scopes.some(({ log: { begin, end } }) => end > begin) ? 3 : 0;
}

/** 0 keeps everything: nothing is ever removed. */
function configuredRetention({ timescaledb: { retention } }: Settings): number | undefined {
  return retention === 0 ? undefined : retention;
}

function rangeOf(flags: VerifyFlags) {
  const times = timesOf(flags);
  const topic = flags.topic === undefined ? undefined : choiceOf('--topic', flags.topic, TOPICS);
  const partition = flags.partition === undefined ? undefined : countOf('--partition', flags.partition, 0);
  const offsets = flags.offsets === undefined ? undefined : offsetsOf(flags.offsets);
  if (offsets !== undefined && (topic === undefined || partition === undefined)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `--offsets ${flags.offsets} needs --topic and --partition: an offset counts in one partition only`,
    );
  }
  if (offsets !== undefined && (flags.from !== undefined || flags.to !== undefined)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      '--offsets and --from or --to exclude each other; leave one of them out',
    );
  }
  return {
    ...times,
    ...(topic !== undefined && { topic }),
    ...(partition !== undefined && { partition }),
    ...(offsets !== undefined && { offsets }),
  };
}
