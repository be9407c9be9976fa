import { readFileSync, statSync } from 'node:fs';

/**
 * Process id of who holds a lock on the file, as the kernel tells; `undefined` where it does not tell, as on macOS or
 * when the holder is in another container. The file is not opened.
 */
export function lockHolder(path: string): number | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return holderIn(readFileSync('/proc/locks', 'utf8'), `${deviceText(dev)}:${ino}`);
  } catch {
    return undefined;
  }
}

/** Lines such as `7: POSIX  ADVISORY  WRITE 4711 103:02:1835 0 EOF`; those with `->` only wait. See proc_locks(5). */
function holderIn(locks: string, file: string): number | undefined {
  for (const line of locks.split('\n')) {
    const [, kind, , access, holder, place] = line.split(/\s+/);
    if (kind === 'POSIX' && access === 'WRITE' && place === file && Number(holder) > 0) return Number(holder);
  }
  return undefined;
}

/** Major and minor number, hexadecimal, taken apart as the C library's `major` and `minor` do. */
function deviceText(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn);
  return [major, minor].map((number) => number.toString(16).padStart(2, '0')).join(':');
}
