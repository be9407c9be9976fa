import { kafkaUnavailable } from '../kafka/artifacts.js';
import { fetchKafka } from '../kafka/fetch.js';
import { fetchRedis, redisUnavailable } from '../redis/programs.js';
import { fetchVersitygw, versitygwUnavailable } from '../s3/programs.js';

export const PARTS = ['kafka', 'postgres', 'redis', 's3'] as const;
export type Part = (typeof PARTS)[number];

/** Where each part is looked for first. */
export const WELL_KNOWN_PORTS: Readonly<Record<Part, number>> = { kafka: 9092, postgres: 5433, redis: 6379, s3: 9000 };

export const BUCKET = 'aipx-data-lake';

/** Why a part cannot run natively here and how to get it; `undefined` when it can. PostgreSQL and an S3 come with npm. */
export function unavailable(part: Part): string | undefined {
  if (part === 'kafka') return kafkaUnavailable();
  return part === 'redis' ? redisUnavailable() : undefined;
}

/** Gets what a part needs to run natively; nothing when it is there. */
export async function fetchPart(part: Part, signal: AbortSignal, note: (line: string) => void): Promise<void> {
  switch (part) {
    case 'kafka':
      return await fetchKafka(signal, note);
    case 'redis':
      return void (await fetchRedis(signal, note));
    case 's3':
      return await fetchS3(signal, note);
    case 'postgres':
      return;
  }
}

async function fetchS3(signal: AbortSignal, note: (line: string) => void): Promise<void> {
  const missing = versitygwUnavailable();
  if (missing === undefined) {
    await fetchVersitygw(signal, note);
    return;
  }
  note(`s3: ${missing}. Until then s3rver takes its place: it ignores If-None-Match and suits one writer only`);
}
