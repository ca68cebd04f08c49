import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, CallId } from '../platform/ids.ts';
import {
  AGENT_LIMITS,
  type Agent,
  type AgentId,
  type AgentPresence,
  type RingId,
  type RingState,
} from './agent.ts';

type AgentRow = {
  id: AgentId;
  account_id: AccountId;
  name: string;
  groups: string[];
  presence: AgentPresence;
  wrap_up_until: number | null;
  idle_since: number;
  is_there: boolean;
  created_at: number;
  last_call_id: CallId | null;
  ring_id: RingId | null;
  ring_call_id: CallId | null;
  ring_state: RingState | null;
  ring_offer: string | null;
  ring_is_live: boolean;
  reserved_for: CallId | null;
};

/** A ring whose gateway is gone counts no more: nobody would hear the answer. */
const COLUMNS = `id, account_id, name, groups, presence, wrap_up_until, idle_since, created_at,
  last_call_id, coalesce(lease_until > now(), false) as is_there,
  ring_id, ring_call_id, ring_state, ring_offer,
  coalesce(ring_lease_until > now(), false) as ring_is_live,
  case when reserved_until > now() then reserved_call_id end as reserved_for`;

const OF_ACCOUNT = statement<AgentRow>(
  'agent_of_account',
  `select ${COLUMNS} from agents
    where account_id = $1 and removed_at is null and id > $2 order by id limit $3`,
);

export async function listAgents(
  db: Queryable,
  accountId: AccountId,
  after: string,
  limit: number,
): Promise<Agent[]> {
  return (await db.run(OF_ACCOUNT, [accountId, after, limit])).map(toAgent);
}

const BY_ID = statement<AgentRow>(
  'agent_by_id',
  `select ${COLUMNS} from agents where id = $1 and removed_at is null`,
);

export async function readAgent(db: Queryable, id: AgentId): Promise<Agent | null> {
  const row = await db.first(BY_ID, [id]);
  return row === undefined ? null : toAgent(row);
}

const BY_TOKEN = statement<AgentRow & { token_hash: Buffer }>(
  'agent_by_token',
  `select ${COLUMNS}, token_hash from agents where token_hash = $1 and removed_at is null`,
);

export async function findAgentByToken(
  db: Queryable,
  hash: Buffer,
): Promise<{ agent: Agent; tokenHash: Buffer } | null> {
  const row = await db.first(BY_TOKEN, [hash]);
  return row === undefined ? null : { agent: toAgent(row), tokenHash: row.token_hash };
}

const COUNT = statement<{ agents: number }>(
  'agent_count',
  'select count(*)::int as agents from agents where account_id = $1 and removed_at is null',
);

export async function countAgents(db: Queryable, accountId: AccountId): Promise<number> {
  return (await db.first(COUNT, [accountId]))?.agents ?? 0;
}

const INSERT = statement(
  'agent_insert',
  `insert into agents (id, account_id, name, groups, token_hash, idle_since, created_at)
   values ($1, $2, $3, $4, $5, $6, $6)
   on conflict (account_id, name) where removed_at is null do nothing
   returning id`,
);

export type NewAgent = {
  id: AgentId;
  accountId: AccountId;
  name: string;
  groups: readonly string[];
  tokenHash: Buffer;
  now: number;
};

/** False where the account has an agent of this name. */
export async function addAgent(tx: Tx, agent: NewAgent): Promise<boolean> {
  const { id, accountId, name, groups, tokenHash, now } = agent;
  const values = [id, accountId, name, groups, tokenHash, at(now)];
  return (await tx.first(INSERT, values)) !== undefined;
}

const UPDATE = statement(
  'agent_update',
  `update agents set groups = coalesce($3, groups), token_hash = coalesce($4, token_hash)
    where account_id = $1 and id = $2 and removed_at is null returning id`,
);

/** Changes what is not null; false where there is no such agent. */
export async function updateAgent(
  db: Queryable,
  accountId: AccountId,
  id: AgentId,
  change: { groups: readonly string[] | null; tokenHash: Buffer | null },
): Promise<boolean> {
  return (await db.first(UPDATE, [accountId, id, change.groups, change.tokenHash])) !== undefined;
}

const REMOVE = statement(
  'agent_remove',
  `update agents set removed_at = $3, lease_until = null, presence = 'away',
          ring_state = case when ring_id is null then null else 'ended' end
    where account_id = $1 and id = $2 and removed_at is null returning id`,
);

/** Their token opens nothing more, and the call they have ends. */
export async function removeAgent(
  db: Queryable,
  accountId: AccountId,
  id: AgentId,
  now: number,
): Promise<boolean> {
  return (await db.first(REMOVE, [accountId, id, at(now)])) !== undefined;
}

const SET_PRESENCE = statement(
  'agent_set_presence',
  `update agents set presence = $2, wrap_up_until = null,
          idle_since = case when presence = 'available' then idle_since else $3 end
    where id = $1`,
);

export async function setPresence(
  db: Queryable,
  id: AgentId,
  presence: AgentPresence,
  now: number,
): Promise<void> {
  await db.run(SET_PRESENCE, [id, presence, at(now)]);
}

const RENEW = statement(
  'agent_renew',
  `update agents set lease_until = now() + make_interval(secs => $2)
    where id = $1 and removed_at is null`,
);

/** A browser of theirs is open; it is taken for gone `seconds` from now. */
export async function renewLease(db: Queryable, id: AgentId, seconds: number): Promise<void> {
  await db.run(RENEW, [id, seconds]);
}

/** An agent who can take the call now; every statement that asks must ask the same. */
export const IS_FREE = `removed_at is null and lease_until > now()
  and (presence = 'available' or (presence = 'wrap_up' and wrap_up_until <= $NOW))
  and (ring_id is null or ring_lease_until <= now())
  and (reserved_until is null or reserved_until <= now() or reserved_call_id = $CALL)`;

const TAKE = statement<{ id: AgentId }>(
  'agent_take',
  `update agents
      set ring_id = $4, ring_call_id = $5, ring_state = 'ringing', ring_owner = $6,
          ring_offer = $7, ring_answer = null, reserved_call_id = null, reserved_until = null,
          ring_lease_until = now() + make_interval(secs => $8)
    where id = (select id from agents
                 where account_id = $1 and $2 = any (groups) and not id = any ($3::text[])
                   and ${IS_FREE.replace('$NOW', '$9').replace('$CALL', '$5')}
                 order by coalesce(reserved_call_id = $5, false) desc, idle_since, id
                 limit 1 for update skip locked)
   returning id`,
);

export type RingWish = {
  accountId: AccountId;
  group: string;
  /** Agents that this call has rung already. */
  tried: readonly AgentId[];
  ringId: RingId;
  callId: CallId;
  owner: string;
  offer: string;
  now: number;
};

/** Rings who was kept for the call, else the longest idle of the group; null: nobody is free. */
export async function takeAgent(db: Queryable, wish: RingWish): Promise<AgentId | null> {
  const { accountId, group, tried, ringId, callId, owner, offer, now } = wish;
  const lease = AGENT_LIMITS.ringLeaseSeconds;
  const values = [accountId, group, tried, ringId, callId, owner, offer, lease, at(now)];
  return (await db.first(TAKE, values))?.id ?? null;
}

const IN_CALL = statement<{ agents: number }>(
  'agent_in_call',
  `select count(*)::int as agents from agents
    where account_id = $1 and $2 = any (groups) and removed_at is null
      and ring_id is not null and ring_lease_until > now() and not id = any ($3::text[])`,
);

/** Whether somebody of the group is in another call: then they are busy, not away. */
export async function isGroupBusy(
  db: Queryable,
  accountId: AccountId,
  group: string,
  tried: readonly AgentId[],
): Promise<boolean> {
  return ((await db.first(IN_CALL, [accountId, group, tried]))?.agents ?? 0) > 0;
}

const ANSWER = statement(
  'agent_answer',
  `update agents set ring_state = 'answered', ring_answer = $3
    where id = $1 and ring_id = $2 and ring_lease_until > now()
      and (ring_state = 'ringing' or (ring_state = 'answered' and ring_answer = $3))
   returning id`,
);

/** False where it rings there no more: declined, given up, or answered by another tab. */
export async function answerRing(
  db: Queryable,
  id: AgentId,
  ringId: RingId,
  sdp: string,
): Promise<boolean> {
  return (await db.first(ANSWER, [id, ringId, sdp])) !== undefined;
}

const LEAVE = statement(
  'agent_leave',
  `update agents
      set ring_state = case ring_state when 'ringing' then 'declined' else 'ended' end
    where id = $1 and ring_id = $2 and ring_state in ('ringing', 'answered')
   returning id`,
);

/** Declines what rings, ends what was answered; false where there is neither. */
export async function leaveRing(db: Queryable, id: AgentId, ringId: RingId): Promise<boolean> {
  return (await db.first(LEAVE, [id, ringId])) !== undefined;
}

export type OwnRing = {
  ringId: RingId;
  agentId: AgentId;
  state: RingState;
  answer: string | null;
  isThere: boolean;
};
type OwnRingRow = {
  ring_id: RingId;
  id: AgentId;
  ring_state: RingState;
  ring_answer: string | null;
  is_there: boolean;
};

const OF_OWNER = statement<OwnRingRow>(
  'agent_rings_of_owner',
  `select ring_id, id, ring_state, ring_answer,
          coalesce(lease_until > now(), false) as is_there
     from agents where ring_owner = $1 and ring_id is not null`,
);

/** The rings of one gateway as they stand. */
export async function readRings(db: Queryable, owner: string): Promise<OwnRing[]> {
  const rows = await db.run(OF_OWNER, [owner]);
  return rows.map((row) => ({
    ringId: row.ring_id,
    agentId: row.id,
    state: row.ring_state,
    answer: row.ring_answer,
    isThere: row.is_there,
  }));
}

const KEEP = statement(
  'agent_rings_keep',
  `update agents set ring_lease_until = now() + make_interval(secs => $2)
    where ring_owner = $1 and ring_id is not null`,
);

/** The gateway lives: its rings are good for some time more. */
export async function renewRings(db: Queryable, owner: string): Promise<void> {
  await db.run(KEEP, [owner, AGENT_LIMITS.ringLeaseSeconds]);
}

const CLEAR = statement<{ id: AgentId }>(
  'agent_clear',
  `update agents
      set ring_id = null, ring_call_id = null, ring_state = null, ring_owner = null,
          ring_offer = null, ring_answer = null, ring_lease_until = null,
          last_call_id = case when ring_state in ('answered', 'ended') then ring_call_id
                              else last_call_id end,
          presence = case when $4::boolean then 'away'
                          when ring_state in ('answered', 'ended') and $2::int > 0
                           and presence <> 'away' then 'wrap_up'
                          else presence end,
          wrap_up_until = case when ring_state in ('answered', 'ended') and $2::int > 0
                               then $3::timestamptz + make_interval(secs => $2::int / 1000.0)
                               else wrap_up_until end,
          idle_since = case when ring_state in ('answered', 'ended') then $3::timestamptz
                            else idle_since end
    where ring_id = $1 and ($5::text[] is null or ring_state = any ($5::text[]))
   returning id`,
);

/**
 * The agent has the call no more. After a talk there is a pause; `toAway` is for whoever did not
 * react, or could not be heard: the next call must not meet the same. With `only`, nothing
 * happens unless the ring is in one of these states.
 */
export async function clearRing(
  db: Queryable,
  ringId: RingId,
  how: { wrapUpMs: number; toAway: boolean; only: readonly RingState[] | null; now: number },
): Promise<AgentId | null> {
  const { wrapUpMs, toAway, only, now } = how;
  return (await db.first(CLEAR, [ringId, wrapUpMs, at(now), toAway, only]))?.id ?? null;
}

function toAgent(row: AgentRow): Agent {
  const { ring_id: id, ring_call_id: callId, ring_state: state, ring_offer: offer } = row;
  const isLive = row.ring_is_live && id !== null && callId !== null;
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    groups: row.groups,
    presence: row.presence,
    wrapUpUntil: row.wrap_up_until,
    idleSince: row.idle_since,
    isThere: row.is_there,
    ring: isLive ? { id, callId, state: state ?? 'ended', offer: offer ?? '' } : null,
    reservedFor: row.reserved_for,
    lastCallId: row.last_call_id,
    createdAt: row.created_at,
  };
}
