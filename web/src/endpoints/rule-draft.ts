import type { RouteRuleView } from '../api/endpoint-hooks.ts';
import { spansIn, textOfSpans } from './opening-hours.ts';

/** A routing rule as the form holds it. */
export type RuleDraft = {
  key: number;
  name: string;
  endpointId: string;
  purposes: string;
  languages: string;
  countries: string;
  hours: string;
  zone: string;
};

let keys = 0;

export function emptyRule(endpointId: string): RuleDraft {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const texts = { name: '', purposes: '', languages: '', countries: '', hours: '' };
  return { key: (keys += 1), endpointId, ...texts, zone: timeZone };
}

export function ruleDraftOf({ name, endpointId, when }: RouteRuleView): RuleDraft {
  const { purposes = [], languages = [], countries = [], hours } = when;
  return {
    key: (keys += 1),
    name,
    endpointId,
    purposes: purposes.join(', '),
    languages: languages.join(', '),
    countries: countries.join(', '),
    hours: hours === undefined ? '' : textOfSpans(hours.open),
    zone: hours?.zone ?? 'UTC',
  };
}

/** The rule that is sent; null where its hours cannot be read. */
export function ruleOf(draft: RuleDraft): RouteRuleView | null {
  const open = draft.hours.trim() === '' ? [] : spansIn(draft.hours);
  if (open === null) return null;
  const purposes = listOf(draft.purposes);
  const languages = listOf(draft.languages);
  const countries = listOf(draft.countries).map((code) => code.toUpperCase());
  const when = {
    ...(purposes.length > 0 && { purposes }),
    ...(languages.length > 0 && { languages }),
    ...(countries.length > 0 && { countries }),
    ...(open.length > 0 && { hours: { zone: draft.zone.trim(), open } }),
  };
  return { name: draft.name.trim(), when, endpointId: draft.endpointId };
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
