const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Parses JSON with every number as the text the venue printed, digit for digit: ids beyond 2^53 and prices survive.
 * Strings and numbers both become strings; which one a field must be is the mapper's decision.
 *
 * @throws {SyntaxError} as `JSON.parse` does
 */
export function parseJsonKeepingDigits(text: string): unknown {
  return JSON.parse(quoteNumbers(text));
}

/** Puts quotes around each number outside of strings. One pass, no regular expression: this runs on every frame. */
function quoteNumbers(text: string): string {
  let quoted = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
    } else if (isNumberStart(code)) {
      const start = at;
      while (++at < text.length && isNumberPart(text.charCodeAt(at)));
      quoted += `${text.slice(copied, start)}"${text.slice(start, at)}"`;
      copied = at;
    } else {
      at += 1;
    }
  }
  return quoted + text.slice(copied);
}

/** Index behind the closing quote of the string that opens at `open`; the end of the text if it never closes. */
function stringEnd(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close === -1 ? text.length : close + 1;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

function isNumberStart(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 45;
}

/** Digits, `.`, `e`, `E`, `+`, `-`. What is not a number in the end is refused by the decimal parser. */
function isNumberPart(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46 || code === 101 || code === 69 || code === 43 || code === 45;
}
