import { RUN_FAILURES } from '../failure-codes.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { REFUSALS, type RefusalCode } from '../policy/refusal-codes.ts';
import {
  ranMs,
  type AudienceHistory,
  type Campaign,
  type CampaignWork,
  type MemberState,
} from './campaign.ts';
import { holdOf } from './campaign-hold.ts';
import type { CampaignView, MemberView, PreviewView } from './campaign-schemas.ts';
import type { ListedMember, MemberCount } from './member-list-store.ts';
import type { CampaignPreview } from './preview.ts';

/** Reasons of a campaign's own, beside those of the gate and of journeys. */
const OWN_FIXES: Readonly<Record<string, string>> = {
  erased: 'Nothing: whoever is erased is not asked or called any more.',
  contact_merged: 'Nothing: it is one person with another contact, who goes on for them.',
  campaign_stopped: 'Put them into a new campaign if the stop was a mistake.',
  campaign_ended: 'Put them into a new campaign, or let the next one end later.',
};

/** What would help whoever was kept out by that code. */
function fixOf(code: string): string {
  const own = OWN_FIXES[code] ?? REFUSALS[code as RefusalCode]?.fix;
  return own ?? RUN_FAILURES[code]?.fix ?? 'See docs/reference/errors.md for this code.';
}

export function campaignView(
  campaign: Campaign,
  work: CampaignWork | undefined,
  counts: readonly MemberCount[],
  now: number,
): CampaignView {
  const { id, name, state, lineId, journeyId, journeyVersion, audience, settings } = campaign;
  const { window, startsPerMinute, priority, callsPerSecond, concurrentCalls, endAt } = settings;
  const people = peopleOf(counts);
  return {
    id,
    name,
    state,
    lineId,
    journeyId,
    journeyVersion,
    audience: {
      importId: audience.importId ?? null,
      tag: audience.tag ?? null,
      listed: audience.listed ?? null,
      language: audience.language ?? null,
      country: audience.country ?? null,
      timeZone: audience.timeZone ?? null,
      history: audience.history === undefined ? null : historyView(audience.history),
    },
    variables: { ...settings.variables },
    window: window === null ? null : { ...window, days: [...window.days] },
    startsPerMinute,
    priority,
    callsPerSecond,
    concurrentCalls,
    endAt: isoTimeOrNull(endAt),
    experimentId: settings.experimentId ?? null,
    gathering: work?.filledAt === null && campaign.endedAt === null,
    people,
    progress: progressOf(campaign, people, now),
    rests: restOf(campaign, now),
    waiting: byReason(counts, 'waiting'),
    ends: sorted(counts, 'done').map(({ reason, people: many }) => ({
      end: reason ?? 'done',
      people: many,
    })),
    skipped: byReason(counts, 'skipped'),
    preview: work?.preview ? previewView(work.preview) : null,
    createdAt: isoTime(campaign.createdAt),
    startedAt: isoTimeOrNull(campaign.startedAt),
    endedAt: isoTimeOrNull(campaign.endedAt),
    peopleForgottenAt: isoTimeOrNull(campaign.peopleForgottenAt),
  };
}

function historyView(history: AudienceHistory): CampaignView['audience']['history'] {
  const { lastCall = null, permission = null, notReachedDays = null, ofCampaign } = history;
  return {
    lastCall,
    permission,
    lastContactBefore: isoTimeOrNull(history.lastContactBefore),
    lastContactAfter: isoTimeOrNull(history.lastContactAfter),
    notReachedDays,
    ofCampaign:
      ofCampaign === undefined ? null : { id: ofCampaign.id, result: ofCampaign.result ?? null },
    column: history.column?.name ?? null,
  };
}

function peopleOf(counts: readonly MemberCount[]): CampaignView['people'] {
  const of = (wanted: MemberState): number =>
    counts.reduce((sum, { state, people }) => sum + (state === wanted ? people : 0), 0);
  const people = {
    waiting: of('waiting'),
    running: of('running'),
    done: of('done'),
    skipped: of('skipped'),
  };
  return { total: people.waiting + people.running + people.done + people.skipped, ...people };
}

/** By the whole time that it ran: pauses do not slow it down on paper. */
function progressOf(
  campaign: Campaign,
  { total, waiting, running, done, skipped }: CampaignView['people'],
  now: number,
): CampaignView['progress'] {
  const minutes = ranMs(campaign, now) / 60_000;
  const begun = running + done + skipped;
  const perMinute = minutes > 0 && begun > 0 ? begun / minutes : null;
  const isRunning = campaign.state === 'running';
  return {
    share: total === 0 ? 0 : (done + skipped) / total,
    perMinute: perMinute === null ? null : Math.round(perMinute * 10) / 10,
    secondsLeft: isRunning && perMinute !== null ? Math.ceil((waiting / perMinute) * 60) : null,
  };
}

function restOf(campaign: Campaign, now: number): CampaignView['rests'] {
  const { id, accountId, state, settings, resumedAt } = campaign;
  if (state !== 'running' && state !== 'paused') return null;
  const standings = new Map([[id, { accountId, state, window: settings.window, resumedAt }]]);
  const hold = holdOf(standings, { accountId, attribution: { campaignId: id } }, now);
  if (hold.kind === 'paused') return { why: 'paused', until: null };
  return hold.kind === 'closed' ? { why: 'closed', until: isoTimeOrNull(hold.opensAt) } : null;
}

function sorted(counts: readonly MemberCount[], wanted: MemberState): MemberCount[] {
  return counts
    .filter(({ state }) => state === wanted)
    .toSorted((a, b) => b.people - a.people || (a.reason ?? '').localeCompare(b.reason ?? ''));
}

function byReason(counts: readonly MemberCount[], wanted: MemberState): CampaignView['skipped'] {
  return sorted(counts, wanted).flatMap(({ reason, people }) =>
    reason === null ? [] : [{ code: reason, people, fix: fixOf(reason) }],
  );
}

function previewView(preview: CampaignPreview): PreviewView {
  const { state, asks, looked, reachable, askable, later, requestsLeft, elsewhere } = preview;
  return {
    state,
    asks,
    looked,
    reachable,
    askable,
    later,
    requestsLeft,
    elsewhere,
    askedAt: isoTime(preview.askedAt),
    finishedAt: isoTimeOrNull(preview.finishedAt),
    laterFrom: isoTimeOrNull(preview.laterFrom),
    blocked: Object.entries(preview.blocked)
      .map(([code, by]) => ({ code, ...by, fix: fixOf(code) }))
      .toSorted((a, b) => b.people - a.people || a.code.localeCompare(b.code)),
    expected: preview.expected,
  };
}

export function memberView({
  id,
  state,
  reason,
  runId,
  dueAt,
  updatedAt,
}: ListedMember): MemberView {
  return {
    contactId: id,
    state,
    reason,
    runId,
    dueAt: isoTimeOrNull(dueAt),
    updatedAt: isoTime(updatedAt),
  };
}
