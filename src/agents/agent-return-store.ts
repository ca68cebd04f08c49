import { at, statement, type Queryable } from '../database/database.ts';
import { AGENT_LIMITS, type AgentId, type RingId } from './agent.ts';
import type { RingWish } from './agent-store.ts';

/** An agent whose page goes in a call, and may be back in a moment. */
const LEAVE_PAGE = statement(
  'agent_leave_page',
  `update agents set ring_answer = null
    where id = $1 and ring_id = $2 and ring_state = 'answered' returning id`,
);

/** The page that answered goes: nobody stands behind its answer any more. */
export async function leavePage(db: Queryable, id: AgentId, ringId: RingId): Promise<boolean> {
  return (await db.first(LEAVE_PAGE, [id, ringId])) !== undefined;
}

const AWAIT = statement<{ id: AgentId }>(
  'agent_await',
  `update agents
      set ring_id = null, ring_call_id = null, ring_state = null, ring_owner = null,
          ring_offer = null, ring_answer = null, ring_lease_until = null,
          last_call_id = ring_call_id, idle_since = $2,
          reserved_call_id = ring_call_id,
          reserved_until = now() + make_interval(secs => $3::int / 1000.0)
    where ring_id = $1 returning id`,
);

/** The agent has the call no more, and is kept for it: no other one rings there meanwhile. */
export async function awaitAgent(
  db: Queryable,
  ringId: RingId,
  forMs: number,
  now: number,
): Promise<AgentId | null> {
  return (await db.first(AWAIT, [ringId, at(now), forMs]))?.id ?? null;
}

const TAKE_BACK = statement<{ id: AgentId }>(
  'agent_take_back',
  `update agents
      set ring_id = $2, ring_call_id = $3, ring_state = 'ringing', ring_owner = $4,
          ring_offer = $5, ring_answer = null, reserved_call_id = null, reserved_until = null,
          ring_lease_until = now() + make_interval(secs => $6)
    where id = $1 and removed_at is null and lease_until > now()
      and (ring_id is null or ring_lease_until <= now())
      and (reserved_until is null or reserved_until <= now() or reserved_call_id = $3)
   returning id`,
);

/** Rings the agent whose call it was, away or not; false while no browser of theirs is there. */
export async function takeAgentBack(
  db: Queryable,
  id: AgentId,
  wish: Pick<RingWish, 'ringId' | 'callId' | 'owner' | 'offer'>,
): Promise<boolean> {
  const { ringId, callId, owner, offer } = wish;
  const values = [id, ringId, callId, owner, offer, AGENT_LIMITS.ringLeaseSeconds];
  return (await db.first(TAKE_BACK, values)) !== undefined;
}
