import { applyCallEvents } from '../calls/call-events.ts';
import { hangUp } from '../calls/call-rules.ts';
import { unfinishedCalls } from '../calls/call-store.ts';
import { applyConsent } from '../consent/consent-commands.ts';
import { consentsOf } from '../consent/consent-store.ts';
import { findByHandle } from '../contacts/contact-handle-store.ts';
import { handlesOfContact, type Handle } from '../contacts/contact.ts';
import {
  OPT_OUT_LIST,
  OWN_LIST,
  addHandles,
  entriesOfHandles,
  handleHmac,
  removeHandles,
  type DoNotCallKey,
} from '../contacts/do-not-call-store.ts';
import type { Tx } from '../database/database.ts';
import { withPerson } from '../identity/person-unit.ts';
import { withContact, type ContactUnit, type UnitPorts } from '../ledger/contact-unit.ts';
import { readLines } from '../lines/line-store.ts';
import { invariant } from '../platform/invariant.ts';
import type { AccountId } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import { standingView, type StandingView } from './do-not-call.ts';
import { isKnownList } from './list-store.ts';
import { recordInRegister } from './register-commands.ts';

export type DoNotCallPorts = UnitPorts & { doNotCallKey: DoNotCallKey; packs: PolicyPacks };

export type Listing = {
  list: string;
  reason: string;
  source: string;
  by: 'api' | 'operator';
  actor: string;
};

/**
 * Puts a person on a list. For a contact that we know, all of it happens in this transaction:
 * entries under every handle, permissions revoked, queued calls cancelled, live calls told to
 * hang up. A number never seen gets the entry alone; the gate finds it by its hash later.
 */
export async function listPerson(
  tx: Tx,
  ports: DoNotCallPorts,
  accountId: AccountId,
  handle: Handle,
  listing: Listing,
): Promise<StandingView | Refused> {
  const { list, reason, source } = listing;
  if (!(await isKnownList(tx, accountId, list))) return unknownList();
  const entry = { list, reason, source, now: ports.clock.now() };
  const contactId = await findByHandle(tx, accountId, handle);
  if (contactId === null) {
    const added = await addHandles(tx, ports.doNotCallKey, accountId, [handle], entry);
    if (added.size > 0) {
      const data = { list, entry: entryName(ports, accountId, handle) };
      const told = { actor: listing.actor, data, personal: { reason, source } };
      await recordInRegister(tx, ports, accountId, { type: 'DoNotCallAdded', ...told });
    }
    return standing(tx, ports, accountId, [handle], null);
  }
  return withPerson(ports, tx, contactId, async (unit) => {
    const handles = handlesOfContact(unit.contact);
    const added = await addHandles(tx, ports.doNotCallKey, accountId, handles, entry);
    if (added.size > 0) await stopCalling(tx, ports, [unit], listing);
    return standing(tx, ports, accountId, handles, contactId);
  });
}

/** What being listed does to contacts whose locks are held: as `optOut`, but not by themselves. */
export async function stopCalling(
  tx: Tx,
  ports: Pick<DoNotCallPorts, 'packs'>,
  units: readonly ContactUnit[],
  { list, reason, source, by, actor }: Listing,
): Promise<void> {
  const ids = units.map(({ contact }) => contact.id);
  const called = units.flatMap((unit) => [unit, ...unit.absorbed]);
  const consents = await consentsOf(tx, ids);
  const calledIds = called.map(({ contact }) => contact.id);
  const calls = Map.groupBy(await unfinishedCalls(tx, calledIds), ({ plan }) => plan.contactId);
  const callLines = [...calls.values()].flat().map(({ plan }) => plan.lineId);
  const lineIds = [...new Set([...consents.map(({ lineId }) => lineId), ...callLines])];
  const lines = new Map((await readLines(tx, lineIds)).map((line) => [line.id, line]));
  const lineOf = (lineId: (typeof lineIds)[number]) => {
    const line = lines.get(lineId);
    invariant(line !== undefined, `line ${lineId} does not exist`);
    return line;
  };
  for (const unit of units) {
    const { contact, now } = unit;
    const personal = { reason, source };
    const told = { list, ...personal };
    const announce = { type: 'dnc.added', callId: null, sequence: 0, data: told } as const;
    unit.record({ type: 'DoNotCallAdded', actor, at: now, data: { list }, personal, announce });
    for (const { contactId, lineId, state } of consents) {
      if (contactId !== contact.id) continue;
      const rules = ports.packs.rulesOf(lineOf(lineId).policyPack);
      const revoke = { type: 'Revoke', by, reason: 'do_not_call', at: now } as const;
      // Refused only where nothing is open, and then there is nothing to take back.
      await applyConsent(unit, lineId, state, revoke, { rules, actor });
    }
  }
  for (const unit of called) {
    for (const call of calls.get(unit.contact.id) ?? []) {
      const events = hangUp(call, 'business', 'do_not_call', unit.now);
      await applyCallEvents(unit, call, events, actor, { line: lineOf(call.plan.lineId) });
    }
  }
}

/**
 * Takes a person off one list, `own` unless another is named. What the person said themselves
 * stays: naming that list is refused, and so is naming none while it stands.
 */
export async function unlistPerson(
  tx: Tx,
  ports: DoNotCallPorts,
  accountId: AccountId,
  handle: Handle,
  wish: { list: string | null; reason: string; actor: string },
): Promise<StandingView | Refused> {
  const { reason, actor } = wish;
  const list = wish.list ?? OWN_LIST;
  if (list === OPT_OUT_LIST) return optOutStands();
  if (!(await isKnownList(tx, accountId, list))) return unknownList();
  const key = ports.doNotCallKey;
  const hasSaidStop = async (handles: readonly Handle[]): Promise<boolean> =>
    (await entriesOfHandles(tx, key, accountId, handles)).some(
      (entry) => entry.list === OPT_OUT_LIST,
    );
  const contactId = await findByHandle(tx, accountId, handle);
  if (contactId === null) {
    if (wish.list === null && (await hasSaidStop([handle]))) return optOutStands();
    if ((await removeHandles(tx, key, accountId, [handle], list)) > 0) {
      const data = { list, entry: entryName(ports, accountId, handle) };
      const told = { actor, data, personal: { reason } };
      await recordInRegister(tx, ports, accountId, { type: 'DoNotCallRemoved', ...told });
    }
    return standing(tx, ports, accountId, [handle], null);
  }
  return withContact(ports, tx, contactId, async (unit) => {
    const { contact, now } = unit;
    const handles = handlesOfContact(contact);
    const stands = contact.optedOutAt !== null || (await hasSaidStop(handles));
    if (wish.list === null && stands) return optOutStands();
    const removed = await removeHandles(tx, key, accountId, handles, list);
    if (removed > 0) {
      const [data, personal] = [{ list }, { reason }];
      const told = { list, reason };
      const announce = { type: 'dnc.removed', callId: null, sequence: 0, data: told } as const;
      unit.record({ type: 'DoNotCallRemoved', actor, at: now, data, personal, announce });
    }
    return standing(tx, ports, accountId, handles, contactId);
  });
}

/** The entry as the export has it, so that record and list can be compared. */
function entryName(ports: DoNotCallPorts, accountId: AccountId, handle: Handle): string {
  return handleHmac(ports.doNotCallKey, accountId, handle).toString('hex');
}

async function standing(
  tx: Tx,
  ports: DoNotCallPorts,
  accountId: AccountId,
  handles: readonly Handle[],
  contactId: string | null,
): Promise<StandingView> {
  const entries = await entriesOfHandles(tx, ports.doNotCallKey, accountId, handles);
  return standingView(contactId, entries);
}

function unknownList(): Refused {
  return {
    refused: {
      code: 'do_not_call_list_unknown',
      message: 'There is no do-not-call list of this name in your account.',
      fix: 'Use own, or a name from GET /v1/do-not-call/lists; an import makes a new list.',
    },
  };
}

function optOutStands(): Refused {
  return {
    refused: {
      code: 'opt_out_stands',
      message: 'This person said stop themselves; nobody else can take that back.',
      fix: 'Wait until the person opts in again by an act of their own.',
    },
  };
}

/** The HTTP status of what this folder refuses. */
export function statusOfRefusal({ refused }: Refused): number {
  return refused.code === 'opt_out_stands' ? 403 : 422;
}
