import type { CampaignWish, VariableSource } from '../api/campaign-hooks.ts';
import type { JourneyDocument } from '../api/journey-hooks.ts';
import { variablesOf } from './campaign-words.ts';

/** What the form holds, and the request that it means. */
export type CampaignDraft = {
  name: string;
  lineId: string;
  audience: 'import' | 'tag' | 'country' | 'everybody';
  whom: string;
  /** Empty: ask, and call who says yes. */
  journeyId: string;
  template: string;
  purpose: string;
  templateVariables: string;
  variables: Record<string, VariableSource>;
  startsPerMinute: string;
  from: string;
  until: string;
};

export const FIRST_DRAFT: CampaignDraft = {
  name: '',
  lineId: '',
  audience: 'import',
  whom: '',
  journeyId: '',
  template: 'call_permission_request',
  purpose: '',
  templateVariables: '',
  variables: {},
  startsPerMinute: '600',
  from: '',
  until: '',
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
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { from, until, template, purpose } = draft;
  return {
    name: draft.name.trim(),
    ...(lineId === null ? {} : { lineId }),
    audience: AUDIENCES[draft.audience](draft.whom.trim()),
    ...(draft.journeyId === ''
      ? {
          ask: {
            template: template.trim(),
            purpose,
            ...(templateVariables.length === 0 ? {} : { templateVariables }),
          },
        }
      : { journeyId: draft.journeyId }),
    variables: Object.fromEntries(
      names.map((name) => [name, draft.variables[name] ?? { text: '' }]),
    ),
    startsPerMinute: Number(draft.startsPerMinute),
    ...(from === '' || until === ''
      ? {}
      : { window: { days: [1, 2, 3, 4, 5], from, until, timeZone } }),
  };
}
