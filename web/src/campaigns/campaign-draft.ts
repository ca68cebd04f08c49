import type { CampaignPace, CampaignWish, VariableSource } from '../api/campaign-hooks.ts';
import type { JourneyDocument } from '../api/journey-hooks.ts';
import { fromLocalInput, localInput } from '../schedule/schedule-words.ts';
import { variablesOf } from './campaign-words.ts';
import { EMPTY_QUERY, queryOf, type QueryDraft } from './query-draft.ts';

/** What the form holds, and the request that it means. */
export type CampaignDraft = {
  name: string;
  lineId: string;
  audience: 'import' | 'tag' | 'country' | 'everybody';
  whom: string;
  /** Which of them, by what has been so far. */
  query: QueryDraft;
  /** Empty: no experiment. */
  experimentId: string;
  /** Empty: ask, and call who says yes. */
  journeyId: string;
  template: string;
  purpose: string;
  templateVariables: string;
  /** A whole number and a unit, such as 24h. */
  waitFor: string;
  /** Empty: the template's own, the routing's, none. */
  language: string;
  endpoint: string;
  script: string;
  variables: Record<string, VariableSource>;
} & PaceDraft;

/** As it is typed; an empty one is no limit. */
export type PaceDraft = {
  startsPerMinute: string;
  from: string;
  until: string;
  priority: string;
  callsPerSecond: string;
  concurrentCalls: string;
  /** Of this computer's clock, as the browser writes it. */
  endAt: string;
};

export const FIRST_DRAFT: CampaignDraft = {
  name: '',
  lineId: '',
  audience: 'import',
  whom: '',
  query: EMPTY_QUERY,
  experimentId: '',
  journeyId: '',
  template: 'call_permission_request',
  purpose: '',
  templateVariables: '',
  waitFor: '24h',
  language: '',
  endpoint: '',
  script: '',
  variables: {},
  startsPerMinute: '600',
  from: '',
  until: '',
  priority: '',
  callsPerSecond: '',
  concurrentCalls: '',
  endAt: '',
};

const linesOf = (text: string): string[] =>
  text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));

/** The names that must be filled: the journey's own, or those that the texts use. */
export function variableNames(draft: CampaignDraft, journey: JourneyDocument | null): string[] {
  if (draft.journeyId === '') {
    return variablesOf([draft.purpose, ...linesOf(draft.templateVariables)]);
  }
  return Object.entries(journey?.variables ?? {}).flatMap(([name, { default: text }]) =>
    text === undefined ? [name] : [],
  );
}

const AUDIENCES = {
  import: (importId: string) => ({ importId }),
  tag: (tag: string) => ({ tag }),
  country: (country: string) => ({ country }),
  everybody: () => ({ everybody: true }),
} as const;

export function wishOf(
  draft: CampaignDraft,
  names: readonly string[],
  firstLine: string | null,
): CampaignWish {
  const lineId = draft.lineId === '' ? firstLine : draft.lineId;
  const templateVariables = linesOf(draft.templateVariables);
  const { template, purpose, waitFor } = draft;
  const named = Object.entries({
    language: draft.language.trim(),
    endpoint: draft.endpoint,
    script: draft.script,
  }).filter(([, text]) => text !== '');
  const pace = Object.entries(paceOf(draft, null)).filter(([, value]) => value !== null);
  return {
    name: draft.name.trim(),
    ...(lineId === null ? {} : { lineId }),
    audience: { ...AUDIENCES[draft.audience](draft.whom.trim()), ...queryOf(draft.query) },
    ...(draft.experimentId === '' ? {} : { experimentId: draft.experimentId }),
    ...(draft.journeyId === ''
      ? {
          ask: {
            template: template.trim(),
            purpose,
            waitFor,
            ...(templateVariables.length === 0 ? {} : { templateVariables }),
            ...Object.fromEntries(named),
          },
        }
      : { journeyId: draft.journeyId }),
    variables: Object.fromEntries(
      names.map((name) => [name, draft.variables[name] ?? { text: '' }]),
    ),
    ...Object.fromEntries(pace),
  };
}

/** What is typed of the pace, as it is sent; the hours keep the days and zone that they had. */
export function paceOf(draft: PaceDraft, before: CampaignPace['window']): CampaignPace {
  const { from, until, endAt } = draft;
  const timeZone = before?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const days = before?.days ?? [1, 2, 3, 4, 5];
  const number = (text: string): number | null => (text === '' ? null : Number(text));
  return {
    startsPerMinute: Number(draft.startsPerMinute),
    window: from === '' || until === '' ? null : { days, from, until, timeZone },
    priority: number(draft.priority),
    callsPerSecond: number(draft.callsPerSecond),
    concurrentCalls: number(draft.concurrentCalls),
    endAt: fromLocalInput(endAt),
  };
}

/** The pace of a campaign as the form shows it. */
export function paceDraftOf(campaign: CampaignPace): PaceDraft {
  const { window, endAt } = campaign;
  const text = (value: number | null): string => (value === null ? '' : String(value));
  return {
    startsPerMinute: String(campaign.startsPerMinute),
    from: window?.from ?? '',
    until: window?.until ?? '',
    priority: text(campaign.priority),
    callsPerSecond: text(campaign.callsPerSecond),
    concurrentCalls: text(campaign.concurrentCalls),
    endAt: endAt === null ? '' : localInput(Date.parse(endAt)),
  };
}
