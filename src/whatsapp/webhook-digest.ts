import { hash } from 'node:crypto';

/** A short name for what came, so that a key tells it apart without keeping it. */
export function digest(content: unknown): string {
  const text = typeof content === 'string' ? content : (JSON.stringify(content) ?? '');
  return hash('sha256', text).slice(0, 16);
}
