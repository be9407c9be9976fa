import type { Subscription } from '@aipx/venue';
import type { Format } from './frames.js';

/** One stream as requested. */
export interface RequestedStream extends Subscription {
  /** Units a book message carries. */
  readonly depth: number;
  readonly snapshot: boolean;
  readonly realtime: boolean;
}

/** A type object as requested, for LIST_SUBSCRIPTIONS. */
export interface RequestedType {
  readonly type: string;
  readonly codes: readonly string[];
  readonly level: number;
}

export type Request =
  | {
      readonly kind: 'subscribe';
      readonly ticket: string;
      readonly format: Format;
      readonly types: readonly RequestedType[];
      readonly streams: readonly RequestedStream[];
    }
  | { readonly kind: 'list'; readonly ticket: string; readonly format: Format | undefined }
  | { readonly kind: 'error'; readonly error: string };

/** Documented. Only trades and books are simulated; the others are accepted and stay silent. */
const TYPES = /^(ticker|trade|orderbook|candle\.(1s|1m|3m|5m|10m|15m|30m|60m|240m))$/;
const FORMATS: readonly string[] = ['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST'] satisfies Format[];
const DEPTHS = [1, 5, 15, 30];
const DEFAULT_DEPTH = 30;

/** Reads one text message as the venue does. Texts of errors as seen on the wire, one of them with its keys the other way round. */
export function readRequest(text: string): Request {
  const parts = parse(text);
  if (parts === undefined) return wrongFormat();
  const [first, ...rest] = parts;
  const ticket = first?.['ticket'];
  if (typeof ticket !== 'string' || ticket === '')
    return error('NO_TICKET', '티켓이 존재하지 않거나, 유효하지 않습니다.');

  const rawFormat = rest.find((part) => 'format' in part)?.['format'];
  if (rawFormat !== undefined && !isFormat(rawFormat))
    return invalid(`${spelled(rawFormat)} 은 지원하지 않는 포맷입니다.`);
  if (rest.some((part) => part['method'] === 'LIST_SUBSCRIPTIONS')) return { kind: 'list', ticket, format: rawFormat };

  const typeParts = rest.filter((part) => 'type' in part);
  if (typeParts.length === 0) return error('NO_TYPE', '타입이 존재하지 않습니다.');
  const types: RequestedType[] = [];
  const streams: RequestedStream[] = [];
  for (const part of typeParts) {
    const read = readType(part);
    if ('kind' in read) return read;
    types.push(read.type);
    streams.push(...read.streams);
  }
  return { kind: 'subscribe', ticket, format: rawFormat ?? 'DEFAULT', types, streams };
}

type Part = Readonly<Record<string, unknown>>;

/** The objects of the request array, or `undefined` for anything else. */
function parse(text: string): readonly Part[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(parsed) && parsed.every(isPart) ? parsed : undefined;
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFormat(value: unknown): value is Format {
  return typeof value === 'string' && FORMATS.includes(value);
}

function readType(
  part: Part,
): Request | { readonly type: RequestedType; readonly streams: readonly RequestedStream[] } {
  const { type, codes } = part;
  if (typeof type !== 'string' || !TYPES.test(type)) return invalid(`${spelled(type)} 은 지원하지 않는 타입입니다.`);
  if (codes === undefined || (Array.isArray(codes) && codes.length === 0)) {
    return error('NO_CODES', '코드가 존재하지 않습니다.');
  }
  if (!Array.isArray(codes) || !codes.every((code) => typeof code === 'string')) {
    return invalid('codes 는 문자열 배열이어야 합니다.');
  }
  const rawLevel = part['level'] ?? 0;
  if (typeof rawLevel !== 'number' && typeof rawLevel !== 'string') return invalid('level 은 숫자여야 합니다.');
  const level = Number(rawLevel);
  // Documented: nothing is sent for a grouping level that the pair does not support; here none is.
  const channel: Subscription['channel'] | undefined =
    type === 'trade' ? 'tick' : type === 'orderbook' && level === 0 ? 'orderbook' : undefined;
  // Older clients spell the flags in camel case, and the venue still takes them.
  const onlySnapshot = (part['is_only_snapshot'] ?? part['isOnlySnapshot']) === true;
  const onlyRealtime = (part['is_only_realtime'] ?? part['isOnlyRealtime']) === true;
  const streams =
    channel === undefined
      ? []
      : codes.map((code) => ({
          ...readCode(code, channel),
          channel,
          snapshot: !onlyRealtime,
          realtime: !onlySnapshot,
        }));
  return { type: { type, codes, level }, streams };
}

/** Documented: `KRW-BTC.15` asks for 15 units. As seen on the wire, a count that is not offered gives 30. */
function readCode(code: string, channel: Subscription['channel']): { readonly symbol: string; readonly depth: number } {
  const suffix = channel === 'orderbook' ? /^(.*)\.(\d+)$/.exec(code) : null;
  if (suffix === null) return { symbol: code, depth: DEFAULT_DEPTH };
  const asked = Number(suffix[2]);
  return { symbol: suffix[1] ?? code, depth: DEPTHS.includes(asked) ? asked : DEFAULT_DEPTH };
}

/** `String` would call a `toString` that the client sent. */
function spelled(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function wrongFormat(): Request {
  return { kind: 'error', error: '{"error":{"message":"Format 이 맞지 않습니다.","name":"WRONG_FORMAT"}}' };
}

function invalid(message: string): Request {
  return { kind: 'error', error: JSON.stringify({ error: { message, name: 'INVALID_PARAM' } }) };
}

function error(name: string, message: string): Request {
  return { kind: 'error', error: JSON.stringify({ error: { name, message } }) };
}
