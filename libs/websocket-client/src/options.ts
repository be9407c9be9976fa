import { MarketDataError, type ConnectLimit, type KeepAlive, type ReconnectPolicy } from '@aipx/market-model';
import type { Clock } from './clock.js';

export interface WebSocketOptions {
  /** `ws://` or `wss://`. Messages and errors show it without query and user. */
  readonly url: string;
  /** Longest time, ms, from the first name lookup to the open socket. */
  readonly handshakeTimeoutMs: number;
  readonly keepAlive?: KeepAlive;
  /**
   * Longest time, ms, without a message before the connection counts as dead. Pongs do not count: an edge that answers
   * pings tells nothing about the feed behind it. Time while nobody reads does not count either.
   */
  readonly silenceTimeoutMs: number;
  /** Largest message taken, bytes; a larger one ends the connection. @default 16 MiB */
  readonly maxFrameBytes?: number;
  /** How long, ms, `close` waits for the venue's answer. @default 1000 */
  readonly closeTimeoutMs?: number;
  /** @default the wall clock in nanoseconds, never going back */
  readonly clock?: Clock;
}

export const DEFAULT_MAX_FRAME_BYTES = 16 * 1024 * 1024;
export const DEFAULT_CLOSE_TIMEOUT_MS = 1_000;

/** Longer than this, setTimeout fires at once instead of late. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** @throws {MarketDataError} `CONFIG_INVALID`, naming the option, its value and what would be right */
export function checkWebSocketOptions(options: WebSocketOptions): void {
  checkUrl(options.url);
  checkDuration('handshakeTimeoutMs', options.handshakeTimeoutMs);
  checkDuration('silenceTimeoutMs', options.silenceTimeoutMs);
  checkDuration('closeTimeoutMs', options.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS);
  const maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
  check(Number.isInteger(maxFrameBytes) && maxFrameBytes > 0, 'maxFrameBytes', maxFrameBytes, 'a whole number above 0');
  if (options.keepAlive !== undefined) checkKeepAlive(options.keepAlive);
}

/** @throws {MarketDataError} `CONFIG_INVALID` */
export function checkReconnectPolicy({ floorMs, capMs, factor, jitter, retries }: ReconnectPolicy): void {
  checkDuration('reconnect.floorMs', floorMs);
  checkDuration('reconnect.capMs', capMs);
  check(capMs >= floorMs, 'reconnect.capMs', capMs, `at least reconnect.floorMs, which is ${floorMs}`);
  check(factor >= 1 && Number.isFinite(factor), 'reconnect.factor', factor, 'a number from 1 on');
  check(jitter >= 0 && jitter <= 1, 'reconnect.jitter', jitter, 'a share from 0 to 1');
  check(Number.isInteger(retries) && retries >= 0, 'reconnect.retries', retries, 'a whole number, 0 for endless');
}

/** @throws {MarketDataError} `CONFIG_INVALID` */
export function checkKeepAlive({ everyMs, idleLimitMs, pongTimeoutMs }: KeepAlive): void {
  checkDuration('keepAlive.everyMs', everyMs);
  checkDuration('keepAlive.idleLimitMs', idleLimitMs);
  if (pongTimeoutMs !== undefined) checkDuration('keepAlive.pongTimeoutMs', pongTimeoutMs);
  check(
    everyMs < idleLimitMs / 2,
    'keepAlive.everyMs',
    everyMs,
    `below half of the venue's idle limit of ${idleLimitMs} ms, so that one lost keepalive does no harm`,
  );
}

/** @throws {MarketDataError} `CONFIG_INVALID` */
export function checkConnectLimit({ attempts, perMs }: ConnectLimit): void {
  check(Number.isInteger(attempts) && attempts > 0, 'connectLimit.attempts', attempts, 'a whole number above 0');
  checkDuration('connectLimit.perMs', perMs);
}

function checkUrl(url: string): void {
  const parsed = URL.parse(url);
  check(
    parsed !== null && (parsed.protocol === 'ws:' || parsed.protocol === 'wss:') && parsed.hash === '',
    'url',
    parsed === null ? url : shownUrl(url),
    'a WebSocket address such as wss://api.upbit.com/websocket/v1',
  );
}

/** @throws {MarketDataError} `CONFIG_INVALID` */
export function checkDuration(option: string, millis: number): void {
  check(millis > 0 && millis <= LONGEST_TIMER_MS, option, millis, `milliseconds above 0, at most ${LONGEST_TIMER_MS}`);
}

function check(holds: boolean, option: string, value: string | number, expected: string): void {
  if (holds) return;
  throw new MarketDataError('CONFIG_INVALID', `${option} is ${JSON.stringify(value)}; expected ${expected}`, {
    context: { option },
  });
}

/** An address fit for logs: user, password and query may be secrets. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
