import type { Tx } from '../database/database.ts';
import type { AccountId, CallId } from '../platform/ids.ts';
import type { AgentHints } from './agent-hints.ts';
import { releaseAgents, reserveAgent } from './reservation-store.ts';

/**
 * What the dial asks of the people in their browsers: one of them is kept for a call before its
 * customer is rung, so that nobody picks up for nobody, and two calls never count on the same one.
 */
export type AgentDesk = {
  /** Asked again for the same call it keeps the same agent on; false where nobody is free. */
  reserve(tx: Tx, wish: AgentWish): Promise<boolean>;
  release(tx: Tx, callId: CallId): Promise<void>;
  /** Somebody may have become free. Only a hint; returns the way to stop listening. */
  subscribe(listener: () => void): () => void;
};

export type AgentWish = {
  accountId: AccountId;
  group: string;
  callId: CallId;
  forMs: number;
  now: number;
};

export function openAgentDesk(hints: AgentHints): AgentDesk {
  return {
    reserve: async (tx, wish) => (await reserveAgent(tx, wish)) !== null,
    release: async (tx, callId) => void (await releaseAgents(tx, callId)),
    subscribe: (listener) => hints.subscribe(listener),
  };
}
