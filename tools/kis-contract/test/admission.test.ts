import type { ConnectAttempts, ConnectOutcome } from '@aipx/kis-auth';
import { describe, expect, it } from 'vitest';
import { reportOutcome } from '../src/session/admission.ts';

describe('the outcome of the session', () => {
  it('is written down while the lease is held, and left to its new holder when it is lost', async () => {
    const written: ConnectOutcome[] = [];
    const report = (outcome: ConnectOutcome) => Promise.resolve(void written.push(outcome));
    const key = { connectAttempts: { report } as unknown as ConnectAttempts };
    const lost = new AbortController();
    await reportOutcome(key, { lost: lost.signal }, 'confirmed');
    lost.abort();
    await reportOutcome(key, { lost: lost.signal }, 'closed');
    expect(written).toEqual(['confirmed']);
  });
});
