import { describe, expect, it } from 'vitest';
import { kisAction, KIS_REST_HOSTS } from '../src/index.js';

describe('a code of KIS', () => {
  it.each([
    ['MCA00000', 'done'],
    ['OPSP0002', 'done'],
    ['EGW00201', 'slow-down'],
    ['EGW00215', 'slow-down'],
    ['EGW00121', 'renew-token'],
    ['EGW00122', 'renew-token'],
    ['EGW00123', 'renew-token'],
    ['EGW00133', 'wait-a-minute'],
    ['EGW00001', 'retry'],
    ['EGW00302', 'retry'],
    ['OPSQ0001', 'retry'],
    ['OPSQ0003', 'retry'],
    ['OPSQ0011', 'retry'],
    ['OPSQ3004', 'retry'],
    ['OPSP8999', 'retry'],
    ['EGW00003', 'denied'],
    ['EGW00207', 'denied'],
    ['OPSP0009', 'denied'],
    ['EGW00102', 'bad-key'],
    ['EGW00304', 'bad-key'],
    ['OPSP0010', 'bad-key'],
    ['EGW02004', 'wrong-host'],
    ['OPSP0011', 'renew-approval-key'],
    ['OPSP8996', 'session-in-use'],
    ['OPSP0008', 'slots-full'],
    ['OPSQ0002', 'unsupported'],
    ['OPSQ2001', 'unsupported'],
    ['MCA05918', 'unsupported'],
    ['OPSP8992', 'unsupported'],
    ['EGW00101', 'bug'],
    ['EGW00118', 'bug'],
    ['OPSP8995', 'bug'],
    ['OPSP9999', 'bug'],
    ['OPSQ9995', 'bug'],
    ['EGW99999', undefined],
    ['toString', undefined],
  ] as const)('%s asks for %s', (code, action) => {
    expect(kisAction(code)).toBe(action);
  });
});

describe('the servers', () => {
  it('of real and simulated trading are different ones', () => {
    expect(KIS_REST_HOSTS).toEqual({
      real: 'https://openapi.koreainvestment.com:9443',
      virtual: 'https://openapivts.koreainvestment.com:29443',
    });
  });
});
