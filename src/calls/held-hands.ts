import { holdOf, type CampaignHold, type CampaignStanding } from '../campaigns/campaign-hold.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { consentIn, type GateFacts } from './call-gate.ts';
import { putOffRows } from './call-store.ts';
import type { CallState } from './call.ts';

export type Standings = ReadonlyMap<string, CampaignStanding>;

/** A call of a paused campaign looks again so often, so that a resume is felt within seconds. */
const PAUSED_MS = 5_000;
const CLOSED_MS = 60_000;

/**
 * Whether a due call must rest with its campaign; it is put off then. Its permission is not used
 * and not prolonged: once that has lapsed the call goes on to the gate, which ends it by its name.
 */
export function restsWithCampaign(
  unit: ContactUnit,
  { plan }: CallState,
  facts: GateFacts,
  standings: Standings,
): boolean {
  const { contact, now } = unit;
  const hold = holdOf(standings, plan, now);
  if (hold.kind !== 'paused' && hold.kind !== 'closed') return false;
  const consent = consentIn(facts, contact.id, plan.lineId);
  if (consent.status !== 'granted' || consent.permission.expiresAt <= now) return false;
  const lookAt = Math.min(lookAgainAt(hold, now), consent.permission.expiresAt);
  const waitsFor = `campaign_${hold.kind}`;
  unit.save(putOffRows, plan.id, { id: plan.id, dueAt: lookAt, waitsFor });
  return true;
}

function lookAgainAt(hold: CampaignHold, now: number): number {
  if (hold.kind === 'paused') return now + PAUSED_MS;
  return hold.kind === 'closed' ? (hold.opensAt ?? now + CLOSED_MS) : now;
}

/** From when on a due call was free to go: a rest of its campaign does not make it late. */
export function freeSince(standings: Standings, { plan }: CallState, now: number): number {
  const hold = holdOf(standings, plan, now);
  if (hold.kind === 'free') return hold.freeSince;
  return hold.kind === 'stopped' ? 0 : now;
}

/** A campaign that was stopped dials nobody any more, whoever had said yes. */
export function isStopped(standings: Standings, { plan }: CallState, now: number): boolean {
  return holdOf(standings, plan, now).kind === 'stopped';
}
