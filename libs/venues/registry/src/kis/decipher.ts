import { createDecipheriv } from 'node:crypto';
import type { Decipher } from '@aipx/venue-kis';

/** For the frames of flag 1, should market data ever come in them. */
export const decipher: Decipher = (key, iv, data) => {
  const aes = createDecipheriv('aes-256-cbc', key, iv);
  return Buffer.concat([aes.update(data), aes.final()]);
};
