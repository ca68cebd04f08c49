import type { AgentId } from './agent.ts';

/**
 * Tells the other parts of this process that an agent's row has changed, so that nobody waits for
 * the next look at it. Only a hint: the row is the truth, and other processes look by themselves.
 */
export type AgentHints = {
  tell(id: AgentId): void;
  /** Returns the way to stop listening. */
  subscribe(listener: (id: AgentId) => void): () => void;
};

export function makeAgentHints(): AgentHints {
  const listeners = new Set<(id: AgentId) => void>();
  return {
    tell(id) {
      for (const listener of listeners) listener(id);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
