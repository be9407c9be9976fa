import { MarketDataError } from '@aipx/market-model';
import type { Clock } from './clock.js';

/** What keeps a quiet connection from being closed by the venue. */
export interface KeepAlive {
  /** Interval, ms. Below half of `idleLimitMs`, so that one lost keepalive does no harm. */
  readonly everyMs: number;
  /** The text message to send; absent: a protocol-level ping frame. */
  readonly text?: string;
  /** Idle time, ms, after which the venue closes. */
  readonly idleLimitMs: number;
}

export interface ReconnectPolicy {
  /** Shortest and longest wait before an attempt, ms, jitter not counted. */
  readonly floorMs: number;
  readonly capMs: number;
  readonly factor: number;
  /** Share of the wait that is added at random on top, 0 to 1. */
  readonly jitter: number;
  /** Attempts in a row without data before giving up. 0 = endless. */
  readonly retries: number;
}

export interface WebSocketOptions {
  /** `ws://` or `wss://`. Messages and errors show it without query and user. */
  readonly url: string;
  /** Longest time, ms, from the first name lookup to the open socket. */
  readonly handshakeTimeoutMs: number;
  readonly keepAlive?: KeepAlive;
  /**
   * Longest time, ms, without a message before the connection counts as dead. Pongs do not count: an edge that answers
   * pings tells nothing about the feed behind it.
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

function checkKeepAlive({ everyMs, idleLimitMs }: KeepAlive): void {
  checkDuration('keepAlive.everyMs', everyMs);
  checkDuration('keepAlive.idleLimitMs', idleLimitMs);
  check(
    everyMs < idleLimitMs / 2,
    'keepAlive.everyMs',
    everyMs,
    `below half of the venue's idle limit of ${idleLimitMs} ms, so that one lost keepalive does no harm`,
  );
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

function checkDuration(option: string, millis: number): void {
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
