import type { ConsentStatus } from '../consent/consent.ts';
import type { ExperimentId } from '../experiments/experiment.ts';
import type { JourneyId, RunId } from '../journeys/run.ts';
import type { AccountId, ContactId, Id, LineId } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import type { CampaignWindow } from './campaign-window.ts';
import type { CampaignPreview } from './preview.ts';

/**
 * A campaign puts many people on one journey: whom, at what pace, at which hours. It never asks or
 * calls anybody by itself: each person's run goes through the same gate as everybody's requests
 * and calls, so no campaign can bend a rule. Its rows are the schedule: a worker that dies leaves
 * them, and the next one goes on.
 *
 * ```
 * draft ──▶ running ◀──▶ paused
 *             ├──▶ done
 *             └──▶ stopped (also from draft and paused)
 * ```
 */
export type CampaignId = Id<'campaign'>;

export const CAMPAIGN_MOVES = {
  draft: { start: 'running', stop: 'stopped' },
  running: { pause: 'paused', stop: 'stopped', finish: 'done' },
  paused: { resume: 'running', stop: 'stopped' },
  stopped: {},
  done: {},
} as const satisfies Record<string, Record<string, string>>;

export type CampaignState = keyof typeof CAMPAIGN_MOVES;
export const CAMPAIGN_STATES = Object.keys(CAMPAIGN_MOVES) as CampaignState[];
export type CampaignMove = 'start' | 'pause' | 'resume' | 'stop' | 'finish';

/** Where a move that was made already has led, so that making it again is no fault. */
const LED_TO: Readonly<Record<CampaignMove, CampaignState>> = {
  start: 'running',
  pause: 'paused',
  resume: 'running',
  stop: 'stopped',
  finish: 'done',
};

/** The states and moves as a mermaid state diagram; the documentation is made from it. */
export function campaignDiagram(): string {
  const moves = CAMPAIGN_STATES.flatMap((state) =>
    Object.entries(CAMPAIGN_MOVES[state]).map(([move, to]) => `  ${state} --> ${to}: ${move}`),
  );
  return ['stateDiagram-v2', '  [*] --> draft', ...moves].join('\n');
}

/** The state after a move; the same state where the move was made before; or why it cannot be. */
export function moved(state: CampaignState, move: CampaignMove): CampaignState | Refused {
  const next = (CAMPAIGN_MOVES[state] as Partial<Record<CampaignMove, CampaignState>>)[move];
  if (next !== undefined) return next;
  if (LED_TO[move] === state) return state;
  const able = CAMPAIGN_STATES.filter((each) => move in CAMPAIGN_MOVES[each]);
  return {
    refused: {
      code: 'campaign_state',
      message: `A campaign that is ${state} cannot do that: ${move}.`,
      fix: `It can while it is ${able.join(' or ')}.`,
      evidence: { state },
    },
  };
}

/**
 * Where a person of a campaign stands: `waiting` to be taken, `running` on the journey, `done` with
 * it however it ended, or `skipped` by a rule before anything was asked.
 */
export const MEMBER_STATES = ['waiting', 'running', 'done', 'skipped'] as const;
export type MemberState = (typeof MEMBER_STATES)[number];

/** Whom a campaign is for: all that is named must hold. */
export type Audience = {
  /** Everybody whom this import brought; its people carry `importTag`. */
  importId?: string | undefined;
  importTag?: string | undefined;
  tag?: string | undefined;
  /** So many people by their ids. They are members at once, so the list is not kept. */
  listed?: number | undefined;
  language?: string | undefined;
  /** ISO 3166-1 alpha-2 of the number. */
  country?: string | undefined;
  timeZone?: string | undefined;
  /** What has been with them so far, as it stands when they are gathered. */
  history?: AudienceHistory | undefined;
};

/** How the last dialled call of a person ended. */
export const LAST_CALLS = [
  'never',
  'completed',
  'no_answer',
  'busy',
  'rejected',
  'canceled',
  'failed',
] as const;

export type AudienceHistory = {
  lastCall?: (typeof LAST_CALLS)[number] | undefined;
  /** How their permission stands on the line of the campaign. */
  permission?: ConsentStatus | undefined;
  /** Neither asked nor dialled since; in ms. */
  lastContactBefore?: number | undefined;
  lastContactAfter?: number | undefined;
  /** No call of theirs was answered in so many days. */
  notReachedDays?: number | undefined;
  /** Who was in that campaign, and how it ended with them. */
  ofCampaign?: { id: CampaignId; result?: string | undefined } | undefined;
  /** A further column of theirs says exactly that; its text is kept as a mark only. */
  column?: { name: string; mark: string } | undefined;
};

/** A variable of the journey: a text for all, or what is known of each person. */
export type VariableSource = { text: string } | { column: string };

export type CampaignSettings = {
  variables: Readonly<Record<string, VariableSource>>;
  window: CampaignWindow | null;
  /** How many people begin their way in a minute. */
  startsPerMinute: number;
  /** Of its calls; null leaves the journey's own. */
  priority: number | null;
  callsPerSecond: number | null;
  concurrentCalls: number | null;
  /** Nobody begins after this. */
  endAt: number | null;
  /** Whose arms change how its people are asked and called; null or absent for none. */
  experimentId?: ExperimentId | null;
};

export type Campaign = {
  id: CampaignId;
  accountId: AccountId;
  name: string;
  state: CampaignState;
  lineId: LineId;
  journeyId: JourneyId;
  journeyVersion: number;
  audience: Audience;
  settings: CampaignSettings;
  ranMs: number;
  resumedAt: number | null;
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  /** Long after the end: only how many people there were is known since then. */
  peopleForgottenAt: number | null;
};

/** What its worker has done so far; dials never wait for it. */
export type CampaignWork = {
  campaignId: CampaignId;
  fillAfter: string;
  filledAt: number | null;
  preview: CampaignPreview | null;
  pacedUntil: number | null;
  /** How often somebody has asked for its worker. */
  asked: number;
  wakeAfter: string | null;
};

export type Member = {
  campaignId: CampaignId;
  contactId: ContactId;
  state: MemberState;
  reason: string | null;
  runId: RunId | null;
  dueAt: number | null;
};

export const CAMPAIGN_LIMITS = {
  /** Campaigns of an account that are not over. */
  open: 100,
  contactIds: 10_000,
  variables: 40,
  startsPerMinuteDefault: 600,
  startsPerMinuteMax: 60_000,
  /** People who are looked at in one transaction. */
  batch: 100,
  /** People who are gathered, or looked at for a preview, at a time. */
  page: 500,
} as const;

/** Why people who wait are left out once nobody begins any more. */
export const LEFT_OUT = { stopped: 'campaign_stopped', ended: 'campaign_ended' } as const;

/** Never more at once than so long a rest would have let by, so that a pause makes no burst. */
const BURST_MS = 5_000;

/** How many may begin now, and up to which instant that uses the pace. */
export function paced(
  pacedUntil: number | null,
  startsPerMinute: number,
  now: number,
): { count: number; until: (used: number) => number; nextAt: number } {
  const eachMs = 60_000 / startsPerMinute;
  const from = Math.max(pacedUntil ?? now - eachMs, now - Math.max(BURST_MS, eachMs));
  const count = Math.max(0, Math.floor((now - from) / eachMs));
  return {
    count,
    until: (used) => Math.round(from + used * eachMs),
    nextAt: Math.ceil(from + eachMs),
  };
}

/** How long it has been running in all, without its pauses. */
export function ranMs(campaign: Campaign, now: number): number {
  const { ranMs: before, resumedAt, endedAt } = campaign;
  const runs = resumedAt !== null && endedAt === null;
  return before + (runs ? Math.max(0, now - resumedAt) : 0);
}
