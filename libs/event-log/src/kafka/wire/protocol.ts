/**
 * The one place that imports kafkajs, and of it only the protocol: how each request is written and each answer read. Its
 * connections, retries, producer and consumer are not used, for reasons that the README lists. These paths are no public
 * interface of kafkajs, therefore its version is pinned exactly.
 */
import Decoder from 'kafkajs/src/protocol/decoder.js';
import { errorCodes } from 'kafkajs/src/protocol/error.js';
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js';
import { requests } from 'kafkajs/src/protocol/requests/index.js';

export { MemberAssignment, MemberMetadata } from 'kafkajs/src/consumer/assignerProtocol.js';
export { default as crc32C } from 'kafkajs/src/protocol/recordBatch/crc32C/crc32C.js';
export { Decoder };

/** One kind of request in the one version that is spoken here. */
export interface Api<Body, Answer> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  encode(body: Body): Promise<Buffer> | Buffer;
  /** Errors inside the answer are left in it, as numbers. */
  decode(payload: Buffer): Promise<Answer> | Answer;
}

/** The newest version that kafkajs implements. */
export function kafkajsApi<Body extends object, Answer>(name: string): Api<Body, Answer> {
  const definition = requests[name];
  const key = apiKeys[name];
  if (definition === undefined || key === undefined) throw new RangeError(`kafkajs has no request ${name}`);
  const version = Math.max(...definition.versions.map(Number));
  const write = definition.protocol({ version });
  return {
    name,
    key,
    version,
    encode: async (body) => (await write(body).request.encode()).buffer,
    decode: async (payload) => (await write({}).response.decode(payload)) as Answer,
  };
}

/** What Kafka means by the error number of an answer. */
export interface KafkaError {
  readonly type: string;
  readonly retriable: boolean;
  readonly message: string;
}

/** Younger than kafkajs. */
const NEWER_ERRORS: readonly (KafkaError & { readonly code: number })[] = [
  { code: 89, type: 'THROTTLING_QUOTA_EXCEEDED', retriable: true, message: 'The throttling quota has been exceeded' },
  { code: 90, type: 'PRODUCER_FENCED', retriable: false, message: 'There is a newer producer with the same id' },
];

const ERRORS: ReadonlyMap<number, KafkaError> = new Map(
  [...errorCodes, ...NEWER_ERRORS].map((error) => [error.code, error]),
);

const UNKNOWN_NUMBER = 'ERROR_';

/** The broker failed in a way that it has no number for, or has one that nobody here knows. */
export function saysNothing({ type }: KafkaError): boolean {
  return type === 'UNKNOWN' || type.startsWith(UNKNOWN_NUMBER);
}

/** `undefined` for 0, which is no error. */
export function kafkaError(code: number): KafkaError | undefined {
  if (code === 0) return undefined;
  return ERRORS.get(code) ?? { type: `${UNKNOWN_NUMBER}${code}`, retriable: false, message: `Kafka error ${code}` };
}
