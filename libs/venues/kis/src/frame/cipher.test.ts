import { createCipheriv, createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { frameOf, openReader, recordsOf, rejectionOf, TRADE } from '../../test/reading.js';
import { CipherKey, type Decipher } from './cipher.js';

const KEY = 'abcdefghijklmnopabcdefghijklmnop';
const IV = '0123456789abcdef';
const VECTOR =
  'Sc/jMAOt1F/ZOesmduMyeIo8hDIAnEEW9vNKvhGS5ZzaKF6+Fdw45+fify/apjJBKpTjNstpHrpvKBGuGc42HkkJJ52HOGFcMbNKD2NLW9Pzj1y5PE+TEv7Axb56Rv3patsZiiwFhSX/QFQ7+pF4Vw==';

const decipher: Decipher = (key, iv, data) => {
  const aes = createDecipheriv('aes-256-cbc', key, iv);
  return Buffer.concat([aes.update(data), aes.final()]);
};

function encrypted(frame: string): string {
  const at = frame.indexOf('|', 11) + 1;
  const aes = createCipheriv('aes-256-cbc', KEY, IV);
  return `1${frame.slice(1, at)}${aes.update(frame.slice(at), 'utf8', 'base64')}${aes.final('base64')}`;
}

describe('encrypted KIS frames', () => {
  it('are read as the test vector says', () => {
    const text = new CipherKey(KEY, IV).decrypt(VECTOR, decipher);
    expect(text).toMatch(/^HTSID\^12345678\^0000012345\^\^02\^/);
    expect(text.split('^')).toHaveLength(26);
  });

  it('say what plain ones say, once their stream has its key', () => {
    const frame = frameOf('H0STCNT0', [TRADE, TRADE]);
    const reader = openReader({ decipher });
    reader.useKey('H0STCNT0', new CipherKey(KEY, IV));
    expect(recordsOf(encrypted(frame), reader)).toEqual(recordsOf(frame));
  });

  it('are rejected with all their bytes when a record in them is bad', () => {
    const reader = openReader({ decipher });
    reader.useKey('H0STCNT0', new CipherKey(KEY, IV));
    const frame = encrypted(frameOf('H0STCNT0', [TRADE.slice(0, 20)]));
    expect(new TextDecoder().decode(rejectionOf(frame, reader).bytes)).toBe(frame);
  });

  it('are rejected without a key: of another stream, or of a connection before', () => {
    const reader = openReader({ decipher });
    reader.useKey('H0STASP0', new CipherKey(KEY, IV));
    reader.useKey('H0STCNI0', new CipherKey(KEY, IV));
    const frame = encrypted(frameOf('H0STCNT0', [TRADE]));
    expect(rejectionOf(frame, reader).error.message).toBe('encrypted frame of H0STCNT0, for which there is no key');
  });

  it('are rejected without a decipher', () => {
    const reader = openReader();
    reader.useKey('H0STCNT0', new CipherKey(KEY, IV));
    expect(rejectionOf(encrypted(frameOf('H0STCNT0', [TRADE])), reader).channel).toBe('tick');
  });

  it.each(['QUJD', 'not base64!', ''])('are rejected when they do not fit their key: %j', (payload) => {
    expect(() => new CipherKey(KEY, IV).decrypt(payload, decipher)).toThrow(
      'encrypted frame does not fit the key of its stream',
    );
  });

  it('do not show their key as JSON', () => {
    expect(JSON.stringify({ key: new CipherKey(KEY, IV) })).toBe('{"key":"[redacted]"}');
  });
});
