import { MarketDataError } from '@aipx/market-model';

/** New issues contain letters (`0193T0`), codes of ETNs begin with Q (`Q500001`): six digits are not the rule. */
const CODE = /^(?:[0-9][0-9A-Z]{5}|Q[0-9A-Z]{6})$/;
const SHORT_NUMBER = /^\d{1,5}$/;
const WITH_MARKET = /^([0-9A-Z]{6,7})\.(?:KS|KQ|KRX)$/;

/**
 * A short code as KRX prints it, upper case.
 *
 * @throws {MarketDataError} `CONFIG_SYMBOL` when it has another form; it proposes what may be meant
 */
export function parseSymbol(raw: string): string {
  const code = raw.trim().replace(/[a-z]/g, (letter) => letter.toUpperCase());
  if (CODE.test(code)) return code;
  const meant = SHORT_NUMBER.test(code) ? code.padStart(6, '0') : WITH_MARKET.exec(code)?.[1];
  const hint = meant === undefined ? '' : `: did you mean ${meant}?`;
  const shown = JSON.stringify(raw.length > 40 ? `${raw.slice(0, 40)}…` : raw);
  throw new MarketDataError('CONFIG_SYMBOL', `${shown} is not a short code of KRX such as 005930 or 0193T0${hint}`);
}
