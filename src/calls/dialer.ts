import { applyConsent } from '../consent/consent-commands.ts';
import { lockFreeContacts } from '../contacts/contact-store.ts';
import type { Tx } from '../database/database.ts';
import { readEndpoints, type StoredEndpoint } from '../endpoints/endpoint-store.ts';
import { PendingUnit, commitUnits, type LedgerPorts } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { invariant } from '../platform/invariant.ts';
import type { Bucket, EndpointId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import type { CallState } from './call.ts';
import { applyCallEvents } from './call-events.ts';
import {
  consentIn,
  decideCall,
  gatherGateFacts,
  type GateFacts,
  type GatePorts,
} from './call-gate.ts';
import { CALL_LIMITS, abandon, dial } from './call-rules.ts';
import { bucketsWithDueCalls, dueCalls, leaseCalls } from './call-store.ts';
import type { Contact } from '../contacts/contact.ts';

/**
 * The dial transaction, and the only place where a permission is consumed. For each due call it
 * holds the contact's lock, asks the gate once more, and either consumes the permission and takes
 * the lease, or ends the call as blocked. Many calls of a bucket share one transaction.
 */
export type DialedCall = {
  state: CallState;
  contact: Contact;
  line: StoredLine;
  endpoint: StoredEndpoint;
};

export type Dialer = {
  /** Claims up to `room` due calls; each is claimed by one gateway only, once. */
  claim(room: number): Promise<DialedCall[]>;
};

export type DialerPorts = LedgerPorts & GatePorts & { owner: string; leaseSeconds: number };

const BATCH = 64;
const BUCKETS_AT_ONCE = 4;

export function openDialer(ports: DialerPorts): Dialer {
  return {
    async claim(room) {
      const now = ports.clock.now();
      const buckets = await bucketsWithDueCalls(ports.database, now);
      const dialed: DialedCall[] = [];
      while (buckets.length > 0 && dialed.length < room) {
        const share = Math.min(BATCH, Math.ceil((room - dialed.length) / BUCKETS_AT_ONCE));
        const claims = buckets
          .splice(0, BUCKETS_AT_ONCE)
          .map((bucket) =>
            ports.database.transaction((tx) => claimBucket(ports, tx, bucket, share)),
          );
        dialed.push(...(await Promise.all(claims)).flat());
      }
      return dialed;
    },
  };
}

async function claimBucket(
  ports: DialerPorts,
  tx: Tx,
  bucket: Bucket,
  limit: number,
): Promise<DialedCall[]> {
  const now = ports.clock.now();
  const due = await dueCalls(tx, bucket, now, limit);
  if (due.length === 0) return [];
  const locked = await lockFreeContacts(tx, [...new Set(due.map(({ plan }) => plan.contactId))]);
  if (locked.length === 0) return [];
  const contacts = locked.map(({ contact }) => contact);
  const lineIds = due.map(({ plan }) => plan.lineId);
  const facts = await gatherGateFacts(tx, ports, contacts, lineIds);
  const endpoints = await endpointsOf(tx, due);
  const dialed: DialedCall[] = [];
  const units = locked.map((lock) => new PendingUnit(tx, lock, now, ports.ids));
  for (const unit of units) {
    // Read again under the lock: the calls may have been cancelled or claimed in between.
    const mine = facts.unfinished.filter(
      ({ plan, status }) =>
        plan.contactId === unit.contact.id && status === 'queued' && plan.dueAt <= now,
    );
    for (const call of mine) {
      const result = await dialOne(ports, unit, call, facts, endpoints);
      if (result !== null) dialed.push(result);
      // One live call per contact: the next due one waits for this one's end.
      if (result !== null) break;
    }
  }
  await commitUnits(tx, ports, units);
  const ids = dialed.map(({ state }) => state.plan.id);
  if (ids.length > 0) await leaseCalls(tx, ids, ports.owner, ports.leaseSeconds);
  return dialed;
}

async function endpointsOf(
  tx: Tx,
  calls: readonly CallState[],
): Promise<Map<EndpointId, StoredEndpoint>> {
  const ids = [...new Set(calls.map(({ plan }) => plan.endpointId))];
  const endpoints = await readEndpoints(tx, ids);
  return new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
}

async function dialOne(
  ports: DialerPorts,
  unit: PendingUnit,
  call: CallState,
  facts: GateFacts,
  endpoints: ReadonlyMap<EndpointId, StoredEndpoint>,
): Promise<DialedCall | null> {
  const { plan } = call;
  const { contact, now } = unit;
  const line = facts.lines.get(plan.lineId);
  const endpoint = endpoints.get(plan.endpointId);
  invariant(line !== undefined, `call ${plan.id} has no line`);
  const block = async (reason: string): Promise<null> => {
    await applyCallEvents(unit, call, abandon(call, 'blocked', reason, now), 'platform');
    return null;
  };
  if (now > plan.dueAt + CALL_LIMITS.lateMs) return block('too_late');
  const question = {
    contact,
    line,
    purpose: plan.purpose,
    callId: plan.id,
    endpointKnown: endpoint !== undefined,
    now,
  };
  const decision = decideCall(ports, facts, question);
  if (decision.refusal !== null) return block(decision.refusal.code);
  const consent = consentIn(facts, contact.id, line.id);
  invariant(consent.status === 'granted' && endpoint !== undefined, 'the gate let this call pass');
  const { permissionId, grantedAt } = consent.permission;
  const command = { type: 'Consume', callId: plan.id, permissionId } as const;
  const rules = ports.packs.rulesOf(line.policyPack);
  const used = await applyConsent(unit, line.id, consent, command, { rules, actor: 'platform' });
  if (isRefused(used)) return block(used.refused.code);
  const grant = { permissionId, policyPack: line.policyPack, permissionAgeMs: now - grantedAt };
  const state = await applyCallEvents(unit, call, dial(call, grant, now), 'platform');
  return { state, contact, line, endpoint };
}
