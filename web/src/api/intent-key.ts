import { useRef } from 'react';
import { isUnreachable } from './business-client.ts';

/** 128 bits by chance as hex. Works on plain http too, where `randomUUID` is missing. */
export function makeIntentKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

export type IntentKey = {
  keyFor: (wish: unknown) => string;
  settled: () => void;
  failed: (error: unknown) => void;
};

/**
 * One key per intent of the user, not per press. When no answer came the same wish keeps its
 * key: had the first try reached the server, the second one only brings its answer again.
 */
export function useIntentKey(): IntentKey {
  const open = useRef<{ wish: string; key: string } | null>(null);
  return {
    keyFor(wish: unknown): string {
      const text = JSON.stringify(wish);
      if (open.current?.wish !== text) open.current = { wish: text, key: makeIntentKey() };
      return open.current.key;
    },
    settled(): void {
      open.current = null;
    },
    failed(error: unknown): void {
      if (!isUnreachable(error)) open.current = null;
    },
  };
}
