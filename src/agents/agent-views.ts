import { z } from 'zod';
import { isOnHold } from '../calls/call-control.ts';
import type { CallState } from '../calls/call.ts';
import { readCall } from '../calls/call-store.ts';
import { NEVER } from '../consent/consent.ts';
import { readPermission, readRequest } from '../consent/consent-store.ts';
import { readContact } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import type { Queryable } from '../database/database.ts';
import { readEndpoints } from '../endpoints/endpoint-store.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { AGENT_STATES, agentState, GROUP_SHAPE, type Agent, type AgentRing } from './agent.ts';

const instant = z.string().describe('RFC 3339, UTC');

export const groupsSchema = z
  .array(z.string().regex(GROUP_SHAPE, 'is 1 to 40 of a-z, 0-9 and -'))
  .min(1)
  .max(20);

export const agentSchema = z.object({
  id: z.string(),
  name: z.string(),
  groups: z.array(z.string()),
  state: z
    .enum(AGENT_STATES)
    .describe('`gone`: no browser of theirs is open. Only `available` ones are rung.'),
  wrapUpUntil: instant.nullable().describe('When `wrap_up` ends by itself.'),
  idleSince: instant.describe('The longest idle agent is rung first.'),
  callId: z.string().nullable().describe('The call that rings or talks there.'),
  reservedFor: z
    .string()
    .nullable()
    .describe('The call whose customer is being rung for this agent; it rings here next.'),
  createdAt: instant,
});
export type AgentView = z.infer<typeof agentSchema>;

const agentCallSchema = z.object({
  id: z.string(),
  state: z.enum(['ringing', 'answered']),
  offer: z.string().describe('SDP; answer it by POST /v1/agents/me/calls/{id}/answer.'),
  customer: z
    .object({ name: z.string().nullable(), number: z.string().nullable() })
    .nullable()
    .describe('Null where an endpoint of the call shows an alias instead (`callerId`).'),
  purpose: z.string(),
  reference: z.string().nullable().describe('The clientReference of the call.'),
  language: z.string().nullable(),
  country: z.string().nullable(),
  asked: z
    .object({
      text: z.string().nullable().describe('What the customer read before saying yes.'),
      at: instant,
      promisedAt: instant.nullable().describe('When a call was promised, if it was.'),
      expiresAt: instant.nullable().describe('Until when the yes is good; null: until a no.'),
    })
    .nullable(),
  customerAnsweredAt: instant.nullable(),
  returning: z
    .boolean()
    .describe('It was theirs until their page went; who answers has the customer back.'),
  speaks: z.boolean().describe('It is this agent who speaks with the customer, no listener.'),
  held: z.boolean(),
  transfer: z.object({ mode: z.enum(['blind', 'attended']), answered: z.boolean() }).nullable(),
});

export const agentMeSchema = agentSchema.extend({
  call: agentCallSchema.nullable(),
  lastCallId: z.string().nullable().describe('Its outcome may still be written.'),
});
export type AgentMeView = z.infer<typeof agentMeSchema>;

export function agentView(agent: Agent, now: number): AgentView {
  const state = agentState(agent, now);
  return {
    id: agent.id,
    name: agent.name,
    groups: [...agent.groups],
    state,
    wrapUpUntil: state === 'wrap_up' ? isoTimeOrNull(agent.wrapUpUntil) : null,
    idleSince: isoTime(agent.idleSince),
    callId: agent.ring?.callId ?? null,
    reservedFor: agent.reservedFor,
    createdAt: isoTime(agent.createdAt),
  };
}

/** What the agent's own page shows: themself, and the call with what the customer was told. */
export async function agentMeView(db: Queryable, agent: Agent, now: number): Promise<AgentMeView> {
  const view = agentView(agent, now);
  const { ring, lastCallId } = agent;
  const isOpen = ring?.state === 'ringing' || ring?.state === 'answered';
  const call = isOpen ? await callOf(db, agent, ring) : null;
  return { ...view, call, lastCallId };
}

async function callOf(
  db: Queryable,
  { id, accountId }: Agent,
  ring: AgentRing,
): Promise<AgentMeView['call']> {
  const state = await readCall(db, ring.callId);
  if (state === null || state.plan.accountId !== accountId) return null;
  const { plan, facts } = state;
  const contact = await readContact(db, accountId, plan.contactId);
  const transfer = (facts.control?.transfers ?? []).find(({ endedAt }) => endedAt === null);
  const legs = facts.control?.legs ?? [];
  return {
    id: ring.callId,
    state: ring.state === 'ringing' ? 'ringing' : 'answered',
    offer: ring.offer,
    customer: await customerOf(db, state, contact),
    purpose: plan.purpose,
    reference: plan.clientReference,
    language: contact?.language ?? null,
    country: contact?.country ?? null,
    asked: await askedOf(db, state),
    customerAnsweredAt: isoTimeOrNull(facts.answeredAt),
    returning: ring.state === 'ringing' && facts.endpoint?.agentId === id,
    speaks: speaksWithCustomer(facts, ring),
    held: isOnHold(facts),
    transfer:
      transfer === undefined
        ? null
        : {
            mode: transfer.mode,
            answered: legs.some((leg) => leg.legId === transfer.legId && leg.answeredAt !== null),
          },
  };
}

/** What was promised: the request that the permission of this call answers. */
async function askedOf(db: Queryable, { plan, facts }: CallState) {
  if (facts.permissionId === null) return null;
  const permission = await readPermission(db, plan.accountId, facts.permissionId);
  const requestId = permission?.permission.requestId ?? null;
  const row = requestId === null ? null : await readRequest(db, plan.accountId, requestId);
  if (row === null) return null;
  const { text, requestedAt, promisedAt } = row.request;
  const expiresAt = permission?.permission.expiresAt ?? null;
  return {
    text,
    at: isoTime(requestedAt),
    promisedAt: isoTimeOrNull(promisedAt),
    expiresAt: isoTimeOrNull(expiresAt !== null && expiresAt >= NEVER ? null : expiresAt),
  };
}

/** Nobody sees more than the endpoint through which they got the call would be shown. */
async function customerOf(db: Queryable, { plan, facts }: CallState, contact: Contact | null) {
  const { taken = null, legs = [] } = facts.control ?? {};
  const open = legs.filter(({ endedAt }) => endedAt === null);
  const ids = [plan.endpointId, ...open.map(({ endpointId }) => endpointId)];
  if (taken !== null) ids.push(taken.endpointId);
  const endpoints = await readEndpoints(db, [...new Set(ids)]);
  if (contact === null || endpoints.some(({ options }) => options.callerId === 'alias'))
    return null;
  return { name: contact.name, number: contact.e164 };
}

/** A listener may leave, and nothing more; so may whoever is only being asked. */
export function speaksWithCustomer({ endpoint }: CallState['facts'], ring: AgentRing): boolean {
  return endpoint?.dialog?.['agentRing'] === ring.id;
}
