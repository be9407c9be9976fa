import type { LogEntry } from '@aipx/event-log';

type Headers = LogEntry['headers'];

/** A pipeline uses a handful of sets; each dead letter brings one of its own that never comes again. */
const REMEMBERED_SETS = 1_024;

/** A frozen set cannot change behind our back, so the object itself stands for its text. */
const bytesOfFrozen = new WeakMap<Headers, Buffer>();
const setsByText = new Map<string, Headers>();

/** A set of headers as JSON. Quickest for frozen sets. */
export function headerBytes(headers: Headers): Buffer {
  let bytes = bytesOfFrozen.get(headers);
  if (bytes === undefined) {
    bytes = Buffer.from(JSON.stringify(headers));
    if (Object.isFrozen(headers)) bytesOfFrozen.set(headers, bytes);
  }
  return bytes;
}

/** The set of headers that stands as JSON in these bytes. Records with the same set share one frozen object. */
export function headersIn(bytes: Buffer, from: number, to: number): Headers {
  // One character a byte is quick to read, and as distinct as the text itself.
  const text = bytes.toString('latin1', from, to);
  let headers = setsByText.get(text);
  if (headers === undefined) {
    headers = Object.freeze(JSON.parse(bytes.toString('utf8', from, to)) as Record<string, string>);
    if (setsByText.size >= REMEMBERED_SETS) setsByText.clear();
    setsByText.set(text, headers);
  }
  return headers;
}
