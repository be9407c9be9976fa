import { MarketDataError } from '@aipx/market-model';
import { decodeText } from './frame.js';

/**
 * AES-256-CBC with PKCS#7 padding. Throws when key, iv and data do not fit each other. Comes from outside, because a driver
 * imports no Node.js module.
 */
export type Decipher = (key: Uint8Array, iv: Uint8Array, data: Uint8Array) => Uint8Array;

/** Key and iv of an acknowledgement: 32 and 16 ASCII characters. Its JSON form does not show them. */
export class CipherKey {
  readonly #key: string;
  readonly #iv: string;

  constructor(key: string, iv: string) {
    this.#key = key;
    this.#iv = iv;
  }

  /**
   * The text in the payload of an encrypted frame: base64 of the encrypted bytes.
   *
   * @throws {MarketDataError} `VALIDATION_FRAME` when it cannot be decrypted
   */
  decrypt(payload: string, decipher: Decipher): string {
    try {
      return decodeText(decipher(asciiBytes(this.#key), asciiBytes(this.#iv), asciiBytes(atob(payload))));
    } catch (cause) {
      throw new MarketDataError('VALIDATION_FRAME', 'encrypted frame does not fit the key of its stream', { cause });
    }
  }

  toJSON(): string {
    return '[redacted]';
  }
}

/** Characters up to U+00FF, one byte each. */
function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
