import { findByHandle } from '../contacts/contact-handle-store.ts';
import { userHandle } from '../contacts/contact.ts';
import { recordInRegister, type RegisterEntry } from '../do-not-call/register-commands.ts';
import { REGISTER_USER_ID } from '../do-not-call/do-not-call.ts';
import type { Queryable, Tx } from '../database/database.ts';
import type { LedgerPorts } from '../ledger/contact-unit.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { clearPace, setPace } from '../schedule/pacing-commands.ts';
import { rankOf } from '../schedule/schedule.ts';
import type { EventType } from '../webhooks/webhooks.ts';
import {
  CAMPAIGN_LIMITS,
  moved,
  ranMs,
  type Campaign,
  type CampaignId,
  type CampaignMove,
  type CampaignSettings,
  type CampaignState,
} from './campaign.ts';
import { lockCampaign, openCampaigns, saveCampaign } from './campaign-store.ts';
import { addMembers } from './member-store.ts';
import { addWork, savePreview, wakeWork } from './work-store.ts';
import { newPreview } from './preview.ts';

export type NewCampaign = Pick<
  Campaign,
  'accountId' | 'name' | 'lineId' | 'journeyId' | 'journeyVersion' | 'audience' | 'settings'
> & { contactIds: readonly ContactId[] | null; actor: string };

/** Makes a draft. Its people are gathered from now on; nobody is asked before it is started. */
export async function createCampaign(
  tx: Tx,
  ports: LedgerPorts,
  { contactIds, actor, ...wish }: NewCampaign,
): Promise<Campaign | Refused> {
  const now = ports.clock.now();
  const open = await openCampaigns(tx, wish.accountId);
  if (open >= CAMPAIGN_LIMITS.open) return { refused: { ...TOO_MANY, evidence: { open } } };
  const campaign: Campaign = {
    ...wish,
    id: ports.ids.next('campaign'),
    state: 'draft',
    ranMs: 0,
    resumedAt: null,
    createdAt: now,
    startedAt: null,
    endedAt: null,
    peopleForgottenAt: null,
  };
  await saveCampaign(tx, campaign);
  const listed = await withoutRegister(tx, wish.accountId, contactIds ?? []);
  await addMembers(tx, campaign, listed, now);
  const filledAt = contactIds === null ? null : now;
  await addWork(tx, campaign.id, { rank: rankFor(campaign), dueAt: now, filledAt });
  await paceCalls(tx, campaign);
  await record(tx, ports, campaign, { type: 'CampaignMade', actor });
  return campaign;
}

/** Locks a campaign of the account and runs a command on it; null where there is none. */
export function onCampaign<T>(
  ports: LedgerPorts,
  accountId: AccountId,
  id: CampaignId,
  work: (tx: Tx, campaign: Campaign) => Promise<T>,
): Promise<T | null> {
  return ports.database.transaction(async (tx) => {
    const campaign = await lockCampaign(tx, id);
    return campaign?.accountId === accountId ? work(tx, campaign) : null;
  });
}

const TOLD: Readonly<Record<CampaignMove, { type: RegisterEntry['type']; event: EventType }>> = {
  start: { type: 'CampaignStarted', event: 'campaign.started' },
  pause: { type: 'CampaignPaused', event: 'campaign.paused' },
  resume: { type: 'CampaignResumed', event: 'campaign.resumed' },
  stop: { type: 'CampaignStopped', event: 'campaign.stopped' },
  finish: { type: 'CampaignDone', event: 'campaign.done' },
};

/**
 * Starts, pauses, resumes, stops or finishes a locked campaign. A move that was made before
 * changes nothing and is no fault. Once a pause or a stop is answered, nothing of the campaign
 * that had not been dialled or asked is: dials and steps hold a share of its lock.
 */
export async function moveCampaign(
  tx: Tx,
  ports: LedgerPorts,
  before: Campaign,
  { move, actor }: { move: CampaignMove; actor: string },
): Promise<Campaign | Refused> {
  const state = moved(before.state, move);
  if (isRefused(state) || state === before.state) return isRefused(state) ? state : before;
  const now = ports.clock.now();
  const isOver = state === 'stopped' || state === 'done';
  const after: Campaign = {
    ...before,
    state,
    ranMs: ranMs(before, now),
    resumedAt: resumedAtOf(before, state, now),
    startedAt: before.startedAt ?? (state === 'running' ? now : null),
    endedAt: isOver ? now : null,
  };
  await saveCampaign(tx, after);
  const runs = move === 'resume' || move === 'stop';
  await wakeWork(tx, after.id, { now, rank: rankFor(after), runs });
  const { type, event } = TOLD[move];
  await record(tx, ports, after, { type, actor, event });
  return after;
}

/** Calls that it held are late only since then, also when it has ended meanwhile. */
function resumedAtOf(before: Campaign, state: CampaignState, now: number): number | null {
  if (state === 'running') return now;
  return state === 'done' ? before.resumedAt : null;
}

/** Changes what may be changed at any time: the name, the pace, the hours. */
export async function changeCampaign(
  tx: Tx,
  ports: LedgerPorts,
  before: Campaign,
  change: { name?: string | undefined; settings: Partial<CampaignSettings>; actor: string },
): Promise<Campaign | Refused> {
  if (before.state === 'stopped' || before.state === 'done') {
    const fix = 'Make a new one: POST /v1/campaigns.';
    const message = `A campaign that is ${before.state} cannot be changed.`;
    return { refused: { code: 'campaign_state', message, fix, evidence: { state: before.state } } };
  }
  const settings = { ...before.settings, ...change.settings };
  const after: Campaign = { ...before, name: change.name ?? before.name, settings };
  await saveCampaign(tx, after);
  await paceCalls(tx, after);
  const now = ports.clock.now();
  await wakeWork(tx, after.id, { now, rank: rankFor(after), runs: true });
  const changed = [...(change.name === undefined ? [] : ['name']), ...Object.keys(change.settings)];
  await record(tx, ports, after, { type: 'CampaignChanged', actor: change.actor, changed });
  return after;
}

/** Has the worker work out what would come of the campaign, in place of what it found before. */
export async function askPreview(
  tx: Tx,
  ports: LedgerPorts,
  campaign: Campaign,
  asks: boolean,
): Promise<Refused | null> {
  if (campaign.state === 'stopped' || campaign.state === 'done') {
    const fix = 'Make a new one: POST /v1/campaigns.';
    const message = `A campaign that is ${campaign.state} sends nothing any more.`;
    return { refused: { code: 'campaign_state', message, fix } };
  }
  const now = ports.clock.now();
  await savePreview(tx, campaign.id, newPreview(asks, now));
  await wakeWork(tx, campaign.id, { now, rank: rankFor(campaign), runs: false });
  return null;
}

/** The account's own chain of entries hangs on a contact that is no person. */
export async function withoutRegister(
  db: Queryable,
  accountId: AccountId,
  ids: readonly ContactId[],
): Promise<ContactId[]> {
  const register = await findByHandle(db, accountId, userHandle(REGISTER_USER_ID));
  return ids.filter((id) => id !== register);
}

function rankFor({ settings }: Campaign): number {
  return rankOf(settings.priority ?? undefined);
}

async function paceCalls(tx: Tx, { id, accountId, settings }: Campaign): Promise<void> {
  const { callsPerSecond, concurrentCalls } = settings;
  const scope = 'campaign' as const;
  if (callsPerSecond === null && concurrentCalls === null) {
    await clearPace(tx, accountId, { scope, id });
    return;
  }
  await setPace(tx, accountId, { scope, id, callsPerSecond, concurrentCalls });
}

/** Tells the register of the account, and the business where an event is named. */
async function record(
  tx: Tx,
  ports: LedgerPorts,
  { id: campaignId, accountId, name, lineId, journeyId }: Campaign,
  entry: {
    type: RegisterEntry['type'];
    actor: string;
    event?: EventType;
    changed?: readonly string[];
  },
): Promise<void> {
  const { type, actor, event, changed } = entry;
  const data = { campaignId, lineId, journeyId, ...(changed === undefined ? {} : { changed }) };
  const told = { ...data, name };
  await recordInRegister(tx, ports, accountId, {
    type,
    actor,
    data,
    personal: { name },
    ...(event === undefined
      ? {}
      : { announce: { type: event, callId: null, sequence: 0, data: told } }),
  });
}

const TOO_MANY = {
  code: 'campaigns_too_many',
  message: 'The account has as many campaigns as it may that are not over.',
  fix: 'Stop those that are not needed, drafts too.',
};
