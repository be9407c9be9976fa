import { hash } from 'node:crypto';

/** Stands for a content, so that hundreds of thousands of books need not be held in memory. */
export function digest(content: string): string {
  return hash('sha1', content, 'base64');
}
