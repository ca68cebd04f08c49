import { stopsAmong } from '../accounts/account-store.ts';
import type { GatePorts } from '../calls/call-gate.ts';
import { lockFreeContacts } from '../contacts/contact-store.ts';
import type { Tx } from '../database/database.ts';
import { startRun } from '../journeys/journey-commands.ts';
import { PendingUnit, commitUnits, type LedgerPorts } from '../ledger/contact-unit.ts';
import { isRefused } from '../platform/refusal.ts';
import type { ContactId } from '../platform/ids.ts';
import type { Campaign, Member } from './campaign.ts';
import { judgePerson, variablesFor, type CampaignPlan, type PersonFacts } from './campaign-gate.ts';
import { holdOf } from './campaign-hold.ts';
import { heldCampaigns } from './hold-store.ts';
import { memberRows, membersOf } from './member-store.ts';
import { factsFor } from './plan-lookup.ts';
import type { Judged } from './preview.ts';

export type TakePorts = LedgerPorts & GatePorts;

/** How many had their locks free, and how many began; null where nobody may begin now. */
export type Taken = { settled: number; started: number } | null;

/**
 * What is wrong with all of us and not with the person. Nobody is left out for it: they wait, and
 * are looked at again.
 */
const OURS: ReadonlySet<string> = new Set([
  'account_stopped',
  'line_disabled',
  'line_paused',
  'line_restricted',
  'template_not_approved',
  'template_unknown',
]);
const OURS_AGAIN_MS = 60_000;
/** Somebody is being called, or the account has too much to do: it passes by itself. */
const BUSY_AGAIN_MS = 60_000;
const BUSY: ReadonlySet<string> = new Set(['call_in_progress', 'journey_run_live']);

/**
 * Takes some people of a running campaign: each is judged under their own lock, and either begins
 * the journey, waits for a later time, or is left out by the rule that says no. All of it commits
 * at once, so a worker that dies leaves nobody twice and nobody lost.
 */
export async function takePeople(
  tx: Tx,
  ports: TakePorts,
  { campaign, plan }: { campaign: Campaign; plan: CampaignPlan },
  ids: readonly ContactId[],
): Promise<Taken> {
  const { accountId, id } = campaign;
  const locked = await lockFreeContacts(tx, ids);
  if (locked.length === 0) return { settled: 0, started: 0 };
  if ((await stopsAmong(tx, [accountId])).size > 0) return null;
  const now = ports.clock.now();
  const standings = await heldCampaigns(tx, [id]);
  const standing = standings.get(id);
  const hold = holdOf(standings, { accountId, attribution: { campaignId: id } }, now);
  if (standing?.state !== 'running' || hold.kind !== 'free') return null;
  const mine = locked.filter(({ contact }) => contact.accountId === accountId);
  // Read again under the locks: another worker may have taken them in between.
  const members = await membersOf(
    tx,
    id,
    mine.map(({ contact }) => contact.id),
  );
  const waiting = new Map(
    members.flatMap((each) => (each.state === 'waiting' ? [[each.contactId, each]] : [])),
  );
  const units = mine
    .filter(({ contact }) => waiting.has(contact.id))
    .map((lock) => new PendingUnit(tx, lock, now, ports.ids));
  const contacts = units.map(({ contact }) => contact);
  const { facts, people } = await factsFor(tx, ports, plan, contacts);
  let started = 0;
  for (const [index, unit] of units.entries()) {
    const person = people[index];
    const member = waiting.get(unit.contact.id);
    if (person === undefined || member === undefined) continue;
    const judged = unfit(person) ?? judgePerson(ports, facts, plan, person, now);
    const after = await takeOne(unit, { campaign, plan, person, member, judged });
    if (after.state === 'running') started += 1;
    unit.save(memberRows, id, { ...after, now });
  }
  await commitUnits(tx, ports, units);
  return { settled: units.length, started };
}

/** Who is nobody to ask any more, whatever the gate thinks. */
function unfit({ contact }: PersonFacts): Judged | null {
  const code =
    contact.erasedAt !== null
      ? 'erased'
      : contact.mergedInto !== null
        ? 'contact_merged'
        : contact.optedOutAt !== null
          ? 'opted_out'
          : null;
  if (code === null) return null;
  return { country: null, verdict: { code, rule: null, laterAt: null }, requestsLeft: 0 };
}

type Taking = {
  campaign: Campaign;
  plan: CampaignPlan;
  person: PersonFacts;
  member: Member;
  judged: Judged;
};

async function takeOne(
  unit: PendingUnit,
  { campaign, plan, person, member, judged }: Taking,
): Promise<Member> {
  const { settings } = campaign;
  const actor = `campaign:${campaign.id}`;
  const later = (dueAt: number, code: string): Member =>
    settings.endAt !== null && dueAt >= settings.endAt
      ? leaveOut(unit, campaign, member, { code, rule: null })
      : { ...member, reason: code, dueAt };
  if (typeof judged.verdict !== 'string') {
    const { code, laterAt } = judged.verdict;
    if (OURS.has(code)) return later(laterAt ?? unit.now + OURS_AGAIN_MS, code);
    if (laterAt !== null && laterAt > unit.now) return later(laterAt, code);
    if (BUSY.has(code)) return later(unit.now + BUSY_AGAIN_MS, code);
    return leaveOut(unit, campaign, member, judged.verdict);
  }
  const run = await startRun(unit, {
    journeyId: campaign.journeyId,
    version: campaign.journeyVersion,
    line: plan.line,
    variables: variablesFor(settings, person.contact, person.details),
    attribution: { campaignId: campaign.id },
    priority: settings.priority,
    experimentId: settings.experimentId ?? null,
    startAt: null,
    keyId: null,
    actor,
  });
  if (!isRefused(run)) {
    return { ...member, state: 'running', runId: run.id, reason: null, dueAt: null };
  }
  const { code, rule = null } = run.refused;
  if (BUSY.has(code)) return later(unit.now + BUSY_AGAIN_MS, code);
  return leaveOut(unit, campaign, member, { code, rule });
}

/** The ledger tells why somebody was not even asked. */
function leaveOut(
  unit: PendingUnit,
  { id: campaignId, lineId }: Campaign,
  member: Member,
  { code, rule }: { code: string; rule: string | null },
): Member {
  unit.record({
    type: 'CampaignSkipped',
    actor: `campaign:${campaignId}`,
    at: unit.now,
    data: { campaignId, lineId, code, rule },
  });
  return { ...member, state: 'skipped', reason: code, dueAt: null };
}
