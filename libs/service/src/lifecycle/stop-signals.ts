export interface StopSignals {
  readonly stop: AbortSignal;
  readonly atOnce: AbortSignal;
  dispose(): void;
}

/**
 * Stop signals as abort signals: `stop` on the first SIGINT or SIGTERM, `atOnce` on a second one.
 *
 * Within `graceMs` a repeated signal is taken for the first: Ctrl-C reaches a process started by npm twice, from the
 * terminal and from npm.
 */
export function onStopSignals(graceMs = 1_000, now: () => number = Date.now): StopSignals {
  const stop = new AbortController();
  const atOnce = new AbortController();
  let firstAt = 0;
  const listener = () => {
    if (!stop.signal.aborted) {
      firstAt = now();
      stop.abort();
    } else if (now() - firstAt >= graceMs) {
      atOnce.abort();
    }
  };
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.on(name, listener);
  return {
    stop: stop.signal,
    atOnce: atOnce.signal,
    dispose: () => {
      for (const name of names) process.off(name, listener);
    },
  };
}
