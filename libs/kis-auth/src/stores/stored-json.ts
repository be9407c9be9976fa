/** The object that a stored text holds; `undefined` for none and for one that nobody here wrote. */
export function parseStored<T extends object>(
  text: string | undefined,
  isValid: (value: Readonly<Record<string, unknown>>) => boolean,
): T | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null;
    return isObject && isValid(value as Record<string, unknown>) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
