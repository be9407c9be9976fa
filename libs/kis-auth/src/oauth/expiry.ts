const KST_TEXT = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/;

/**
 * When a token ends, in ms since the epoch: the earlier of what its two fields say. `access_token_token_expired` is a wall
 * clock of Korea (UTC+9, no daylight saving) without a zone; `expires_in` is in seconds from now.
 *
 * @returns `undefined` when neither can be read
 */
export function tokenExpiry(kstText: unknown, expiresIn: unknown, now: number): number | undefined {
  const ends = [kstTime(kstText), secondsFrom(now, expiresIn)].filter((time) => time !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function kstTime(text: unknown): number | undefined {
  const [, date, time] = (typeof text === 'string' && KST_TEXT.exec(text)) || [];
  const parsed = date === undefined ? Number.NaN : Date.parse(`${date}T${time}+09:00`);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function secondsFrom(now: number, seconds: unknown): number | undefined {
  return typeof seconds === 'number' && seconds > 0 && Number.isFinite(seconds) ? now + seconds * 1000 : undefined;
}
