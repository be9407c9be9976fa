import { describe, expect, it } from 'vitest';
import { openScene } from './support/auth.js';

const { signal } = new AbortController();

describe('the attempts of a key', () => {
  it('outlive the process, so that a restart cannot become a connect loop', async () => {
    const { clock, open } = await openScene();
    const begin = clock.now();
    for (let restart = 0; restart < 4; restart += 1) {
      const { connectAttempts, auth } = await open();
      await clock.until(connectAttempts.admitted(signal));
      await auth.close();
    }
    expect(clock.now() - begin).toBeGreaterThanOrEqual((20 + 40 + 80) * 1_000);
  });

  it.each([['started'], ['confirmed']] as const)(
    'of a process that died while a session was %s have the next one wait, however late it comes',
    async (outcome) => {
      const { clock, open } = await openScene();
      const dying = await open();
      await dying.connectAttempts.admitted(signal);
      if (outcome === 'confirmed') await dying.connectAttempts.report('confirmed');
      await dying.auth.close();
      clock.advance(3_600_000);
      const before = clock.now();
      const { connectAttempts } = await open();
      await clock.until(connectAttempts.admitted(signal));
      expect(clock.now() - before).toBe(20_000);
    },
  );

  it('of the process itself that still stand are no loss of another one, however late it asks again', async () => {
    const { clock, open } = await openScene();
    const { connectAttempts } = await open();
    await connectAttempts.admitted(signal);
    await connectAttempts.report('confirmed');
    clock.advance(3_600_000);
    const before = clock.now();
    await clock.until(connectAttempts.admitted(signal));
    expect(clock.now()).toBe(before);
  });

  it('let the next process begin at once after an orderly end', async () => {
    const { open } = await openScene();
    const first = await open();
    await first.connectAttempts.admitted(signal);
    await first.connectAttempts.report('confirmed');
    expect(first.connectAttempts.nextAt).toBeGreaterThan(0);
    await first.connectAttempts.report('closed');
    await first.auth.close();
    await (await open()).connectAttempts.admitted(signal);
  });

  it('of different kinds do not overwrite each other', async () => {
    const { clock, server, open } = await openScene();
    const first = await open();
    await first.connectAttempts.admitted(signal);
    await first.connectAttempts.report('in-use');
    await first.credentials.token(signal);
    await first.credentials.approvalKey(signal);
    const second = await open();
    const before = clock.now();
    await clock.until(second.connectAttempts.admitted(signal));
    expect(clock.now() - before).toBeGreaterThanOrEqual(60_000);
    expect(server.count('/oauth2/tokenP')).toBe(1);
  });

  it('end a wait with its signal', async () => {
    const { clock, open } = await openScene();
    const { connectAttempts } = await open();
    await connectAttempts.admitted(signal);
    await connectAttempts.report('key-refused');
    const stop = new AbortController();
    const waiting = connectAttempts.admitted(stop.signal).catch((error: unknown) => error);
    await clock.sleeping();
    stop.abort(new Error('stopped'));
    expect(await waiting).toMatchObject({ message: 'stopped' });
  });

  it('are known to the process itself while the store is away', async () => {
    const { clock, open } = await openScene();
    const { connectAttempts, auth } = await open();
    await connectAttempts.admitted(signal);
    await connectAttempts.report('confirmed');
    await auth.close();
    await connectAttempts.report('lost');
    const before = clock.now();
    await clock.until(connectAttempts.admitted(signal));
    expect(clock.now() - before).toBe(20_000);
  });

  it('that nobody knows, since the store is away, are waited for', async () => {
    const { clock, open } = await openScene();
    const { connectAttempts, auth } = await open();
    await auth.close();
    const stop = new AbortController();
    const waiting = connectAttempts.admitted(stop.signal).catch((error: unknown) => error);
    await clock.sleeping();
    clock.advance(1_000);
    await clock.sleeping();
    stop.abort(new Error('stopped'));
    expect(await waiting).toMatchObject({ message: 'stopped' });
  });
});
