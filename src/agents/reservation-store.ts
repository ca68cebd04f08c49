import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, CallId, EndpointId } from '../platform/ids.ts';
import type { AgentId } from './agent.ts';
import { IS_FREE } from './agent-store.ts';

const AVAILABLE = statement<{ agents: number }>(
  'agent_available',
  `select count(a.id)::int as agents
     from endpoints e
     left join agents a on a.account_id = e.account_id
      and e.options -> 'agents' ->> 'group' = any (a.groups)
      and ${IS_FREE.replace('$NOW', '$2').replace('$CALL', 'null')}
    where e.id = $1 and e.options ? 'agents'
    group by e.id`,
);

/**
 * How many agents could take a call of this endpoint right now; null where the endpoint is none
 * of agents, or unknown. A fact of the moment: by the time that it rings another may have them.
 */
export async function availableAgents(
  db: Queryable,
  endpointId: EndpointId,
  now: number,
): Promise<number | null> {
  return (await db.first(AVAILABLE, [endpointId, at(now)]))?.agents ?? null;
}

/** Who is kept for this call already is kept on; rows that are being written are passed over. */
const RESERVE = statement<{ id: AgentId }>(
  'agent_reserve',
  `update agents
      set reserved_call_id = $3, reserved_until = now() + make_interval(secs => $4::int / 1000.0)
    where id = (select id from agents
                 where account_id = $1 and $2 = any (groups)
                   and ${IS_FREE.replace('$NOW', '$5').replace('$CALL', '$3')}
                 order by coalesce(reserved_call_id = $3, false) desc, idle_since, id
                 limit 1 for update skip locked)
   returning id`,
);

export type Reservation = {
  accountId: AccountId;
  group: string;
  callId: CallId;
  /** It ends by itself after so long, whatever became of the call. */
  forMs: number;
  now: number;
};

/** Keeps the longest idle free agent of the group for the call; null where nobody is free. */
export async function reserveAgent(tx: Tx, wish: Reservation): Promise<AgentId | null> {
  const { accountId, group, callId, forMs, now } = wish;
  return (await tx.first(RESERVE, [accountId, group, callId, forMs, at(now)]))?.id ?? null;
}

const RELEASE = statement<{ id: AgentId }>(
  'agent_release',
  `update agents set reserved_call_id = null, reserved_until = null
    where reserved_call_id = $1 returning id`,
);

/** The call needs its agent no more; who was kept for it is told. */
export async function releaseAgents(db: Queryable, callId: CallId): Promise<AgentId[]> {
  return (await db.run(RELEASE, [callId])).map(({ id }) => id);
}
