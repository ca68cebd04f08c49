import type { AgentDesk } from '../agents/agent-desk.ts';
import type { StoredEndpoint } from '../endpoints/endpoint-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { waitEvents } from './agent-wait.ts';
import type { CallState } from './call.ts';
import { applyCallEvents } from './call-events.ts';
import { latestDialOf } from './call-rules.ts';
import type { EndingLine } from './call-survey-commands.ts';
import { putOffRows } from './call-store.ts';
import { dueCallOf, type DueCall } from './due-store.ts';

/** Agents of this process are heard of at once; those of others are looked for this often. */
const LOOK_MS = 2_000;
/** How many of those that wait are judged anew when somebody may have become free. */
const AT_ONCE = 16;
/** Beyond the customer's ring: Meta's answer before it, and the way to the agent after it. */
const KEPT_MS = 60_000;

type Dial = { line: EndingLine; endpoint: StoredEndpoint | undefined };

/**
 * Keeps somebody for this call, where its endpoint is answered in browsers, or puts it off: a
 * customer is rung only for somebody. A script speaks first, and needs nobody to begin.
 */
export async function waitsForAgent(
  desk: AgentDesk | undefined,
  unit: ContactUnit,
  call: CallState,
  { line, endpoint }: Dial,
): Promise<boolean> {
  const { plan } = call;
  const { now } = unit;
  const agents = endpoint?.options.agents;
  if (desk === undefined || agents === undefined || plan.script) return false;
  const { accountId, id, ringTimeoutMs } = plan;
  const forMs = ringTimeoutMs + KEPT_MS;
  const wish = { accountId, group: agents.group, callId: id, forMs, now };
  if (await desk.reserve(unit.tx, wish)) return false;
  await applyCallEvents(unit, call, waitEvents(call, true, now), 'platform', { line });
  // At the very end of its time it is looked at once more, to end with the reason. A call whose
  // campaign rested has more time than its plan says.
  const endsAt = latestDialOf(plan) + 1;
  const dueAt = endsAt > now ? Math.min(now + LOOK_MS, endsAt) : now + LOOK_MS;
  unit.save(putOffRows, id, { id, dueAt });
  return true;
}

/** Calls that wait for an agent, kept so that they need not fall due first. Only a hint. */
export type AgentWaiters = {
  add(call: CallState): void;
  /** The ones that have waited longest, where somebody may have become free. */
  take(): DueCall[];
};

export function makeAgentWaiters(desk: AgentDesk | undefined, wake: () => void): AgentWaiters {
  const waiting = new Map<string, DueCall>();
  let isTold = false;
  desk?.subscribe(() => {
    isTold = true;
    if (waiting.size > 0) wake();
  });
  return {
    add: (call) => void waiting.set(call.plan.id, dueCallOf(call)),
    take() {
      const first = isTold ? [...waiting.values()].slice(0, AT_ONCE) : [];
      for (const { id } of first) waiting.delete(id);
      isTold = false;
      return first;
    },
  };
}
