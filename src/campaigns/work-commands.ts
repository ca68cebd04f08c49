import { lockContacts } from '../contacts/contact-store.ts';
import { readRun } from '../journeys/run-store.ts';
import { stopRun } from '../journeys/run-steps.ts';
import { wakeHeldRuns } from '../journeys/run-wake-store.ts';
import { HELD_MS as RUNS_HELD_MS } from '../journeys/run-worker.ts';
import { PendingUnit, commitUnits } from '../ledger/contact-unit.ts';
import { audiencePage } from './audience-store.ts';
import { CAMPAIGN_LIMITS, LEFT_OUT, paced, type Campaign, type CampaignId } from './campaign.ts';
import { holdOf } from './campaign-hold.ts';
import { moveCampaign, withoutRegister } from './campaign-commands.ts';
import { lockCampaign, readCampaigns } from './campaign-store.ts';
import { fittingHistory } from './history-store.ts';
import { isAnybodyRunning, listMembers } from './member-list-store.ts';
import { addMembers, dueMembers, leaveOut, nextMemberDueAt } from './member-store.ts';
import { planOf } from './plan-lookup.ts';
import { failedPreview, previewPage, type PreviewPorts } from './preview-commands.ts';
import { takePeople } from './take-commands.ts';
import { saveCounted, saveFill, savePaced, saveWoken, type HeldWork } from './work-store.ts';

export type WorkPorts = PreviewPorts;

/** While journeys of its people are under way, their ends are looked for this often. */
const LOOK_MS = 2_000;
/** When somebody else holds the locks of all who are due; they hold them for milliseconds. */
const BUSY_MS = 50;
/** The account is stopped, or the line says no: it may pass at any time. */
const HELD_MS = 5_000;
const PAGE = CAMPAIGN_LIMITS.page;

/** Takes the next step of a campaign; when it is to be looked at again, or null for not before. */
export async function workOffCampaign(ports: WorkPorts, work: HeldWork): Promise<number | null> {
  const [campaign] = await readCampaigns(ports.database, [work.campaignId]);
  if (campaign === undefined) return null;
  const now = ports.clock.now();
  if (campaign.state === 'stopped') return takeOff(ports, campaign, now);
  if (work.filledAt === null && campaign.state !== 'done') {
    await gather(ports, campaign, work);
    return now;
  }
  if (work.preview?.state === 'counting') return preview(ports, campaign, work);
  if (campaign.state !== 'running') return null;
  if (work.wakeAfter !== null) {
    await wakeRuns(ports, work, work.wakeAfter);
    return now;
  }
  return take(ports, campaign, work);
}

/** Adds one page of its people; where it goes on commits with them. */
async function gather(ports: WorkPorts, campaign: Campaign, work: HeldWork): Promise<void> {
  const { accountId, audience } = campaign;
  await ports.database.transaction(async (tx) => {
    const now = ports.clock.now();
    const page = { after: work.fillAfter, limit: PAGE };
    const { ids: paged, next } = await audiencePage(tx, accountId, audience, page);
    const { history } = audience;
    const question = { accountId, lineId: campaign.lineId, now };
    const ids =
      history === undefined ? paged : await fittingHistory(tx, { ...question, history }, paged);
    await addMembers(tx, campaign, await withoutRegister(tx, accountId, ids), now);
    await saveFill(tx, work, { after: next ?? '', filledAt: next === null ? now : null });
  });
}

async function preview(
  ports: WorkPorts,
  campaign: Campaign,
  work: HeldWork,
): Promise<number | null> {
  const now = ports.clock.now();
  const { preview: before } = work;
  if (before === null) return now;
  const plan = await planOf(ports.database, campaign);
  if (plan === null) await saveCounted(ports.database, work, failedPreview(before, now));
  else await previewPage(ports, campaign, plan, { ...work, preview: before });
  return now;
}

/** Takes as many as the pace allows, one transaction at a time. */
async function take(ports: WorkPorts, campaign: Campaign, work: HeldWork): Promise<number | null> {
  const { clock, database } = ports;
  const { id, settings } = campaign;
  const now = clock.now();
  const nextAt = await nextMemberDueAt(database, id);
  if (nextAt === null) return finishWhenThrough(ports, campaign, now);
  if (settings.endAt !== null && now >= settings.endAt) {
    await leaveOut(database, id, { reason: LEFT_OUT.ended, now, limit: PAGE });
    return now;
  }
  const closedUntil = closes(campaign, now);
  if (closedUntil !== null) return closedUntil;
  if (nextAt > now) return Math.min(nextAt, settings.endAt ?? Infinity, now + 60_000);
  const pace = paced(work.pacedUntil, settings.startsPerMinute, now);
  if (pace.count === 0) return pace.nextAt;
  const room = Math.min(pace.count, CAMPAIGN_LIMITS.batch);
  const due = await dueMembers(database, id, now, room);
  const plan = await planOf(database, campaign);
  if (plan === null) {
    await leaveOut(database, id, { reason: 'journey_unknown', now, limit: PAGE });
    return now;
  }
  const taken = await database.transaction(async (tx) => {
    const people = await takePeople(tx, ports, { campaign, plan }, due);
    if (people !== null) await savePaced(tx, work, pace.until(people.started));
    return people;
  });
  if (taken === null) return now + HELD_MS;
  return taken.settled === 0 && due.length > 0 ? now + BUSY_MS : now;
}

/** Until when its hours are over; null while they are not. */
function closes(campaign: Campaign, now: number): number | null {
  const { id, accountId, settings, state, resumedAt } = campaign;
  const standing = { accountId, state, window: settings.window, resumedAt };
  const of = { accountId, attribution: { campaignId: id } };
  const hold = holdOf(new Map([[id, standing]]), of, now);
  return hold.kind === 'closed' ? (hold.opensAt ?? now + 60_000) : null;
}

async function finishWhenThrough(
  ports: WorkPorts,
  { id }: Campaign,
  now: number,
): Promise<number | null> {
  if (await isAnybodyRunning(ports.database, id)) return now + LOOK_MS;
  await ports.database.transaction(async (tx) => {
    const campaign = await lockCampaign(tx, id);
    if (campaign?.state !== 'running') return;
    await moveCampaign(tx, ports, campaign, { move: 'finish', actor: 'platform' });
  });
  return null;
}

/** Has journeys that rested with the campaign go on now, a page at a time. */
async function wakeRuns(ports: WorkPorts, work: HeldWork, after: string): Promise<void> {
  const { clock, database } = ports;
  const { campaignId: id } = work;
  const filter = { state: 'running' as const, reason: null, after, limit: PAGE };
  const members = await listMembers(database, id, filter);
  const runs = members.flatMap(({ runId }) => (runId === null ? [] : [runId]));
  await wakeHeldRuns(database, runs, { now: clock.now(), heldMs: RUNS_HELD_MS });
  await saveWoken(database, work, members.length < PAGE ? null : (members.at(-1)?.id ?? null));
}

/** A stopped campaign: who waits is left out, who is on the way is taken off the journey. */
async function takeOff(ports: WorkPorts, campaign: Campaign, now: number): Promise<number | null> {
  const { database } = ports;
  const { id } = campaign;
  const left = await leaveOut(database, id, { reason: LEFT_OUT.stopped, now, limit: PAGE });
  if (left > 0) return now;
  const limit = CAMPAIGN_LIMITS.batch;
  const filter = { state: 'running' as const, reason: null, after: null, limit };
  const members = await listMembers(database, id, filter);
  if (members.length === 0) return null;
  let stopped = 0;
  await database.transaction(async (tx) => {
    stopped = 0;
    const locked = await lockContacts(
      tx,
      members.map((member) => member.id),
    );
    const at = ports.clock.now();
    const units = locked.map((lock) => new PendingUnit(tx, lock, at, ports.ids));
    for (const unit of units) {
      const { runId = null } = members.find(({ id: of }) => of === unit.contact.id) ?? {};
      const run = runId === null ? null : await readRun(tx, campaign.accountId, runId);
      if (run === null || run.phase.kind === 'ended') continue;
      stopped += 1;
      await stopRun(unit, run, LEFT_OUT.stopped, `campaign:${id satisfies CampaignId}`);
    }
    await commitUnits(tx, ports, units);
  });
  return stopped > 0 ? now : now + LOOK_MS;
}
