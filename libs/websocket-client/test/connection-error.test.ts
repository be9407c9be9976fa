import { describe, expect, it } from 'vitest';
import { connectionBroke, openingFailed } from '../src/connection-error.js';

const URL_WITH_SECRETS = 'wss://user:password@api.example.com/websocket/v1?key=secret';

describe('connection errors', () => {
  it.each([
    ['ENOTFOUND', 'no machine is known by the name api.example.com; is it spelled right?'],
    ['EAI_AGAIN', 'the name api.example.com cannot be looked up; is there a network?'],
    ['ETIMEDOUT', 'api.example.com does not answer'],
    ['CERT_HAS_EXPIRED', 'the certificate of api.example.com has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate shown is not one of api.example.com'],
  ])('say %s as a sentence that names the host', (code, sentence) => {
    const cause = Object.assign(new Error(`getaddrinfo ${code}`), { code });
    const error = openingFailed(URL_WITH_SECRETS, cause);
    expect(error.message).toBe(`cannot connect to wss://api.example.com/websocket/v1: ${sentence}`);
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', cause, retryable: true });
  });

  it('say an unknown cause in its own words', () => {
    expect(connectionBroke(URL_WITH_SECRETS, new Error('Invalid WebSocket frame')).message).toBe(
      'connection to wss://api.example.com/websocket/v1 lost: Invalid WebSocket frame',
    );
  });

  it('never show user, password or query', () => {
    for (const make of [openingFailed, connectionBroke]) {
      expect(JSON.stringify(make(URL_WITH_SECRETS, new Error('x')))).not.toMatch(/secret|password|user/);
    }
  });
});
