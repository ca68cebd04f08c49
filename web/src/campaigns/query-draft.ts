import { fromLocalInput } from '../schedule/schedule-words.ts';

/** What was with people so far, as it is typed; an empty field asks for nothing. */
export type QueryDraft = {
  lastCall: string;
  permission: string;
  /** Of this computer's clock, as the browser writes it. */
  lastContactBefore: string;
  lastContactAfter: string;
  notReachedDays: string;
  ofCampaign: string;
  result: string;
  columnName: string;
  columnText: string;
};

export const EMPTY_QUERY: QueryDraft = {
  lastCall: '',
  permission: '',
  lastContactBefore: '',
  lastContactAfter: '',
  notReachedDays: '',
  ofCampaign: '',
  result: '',
  columnName: '',
  columnText: '',
};

/** The fields of an audience that the query means. */
export function queryOf(draft: QueryDraft): Record<string, unknown> {
  const text = (value: string): string | null => (value.trim() === '' ? null : value.trim());
  const result = text(draft.result);
  const [id, name, equals] = [draft.ofCampaign, draft.columnName, draft.columnText].map(text);
  const fields = {
    lastCall: text(draft.lastCall),
    permission: text(draft.permission),
    lastContactBefore: fromLocalInput(draft.lastContactBefore),
    lastContactAfter: fromLocalInput(draft.lastContactAfter),
    notReachedDays: draft.notReachedDays === '' ? null : Number(draft.notReachedDays),
    ofCampaign: id === null ? null : { id, ...(result === null ? {} : { result }) },
    column: name === null || equals === null ? null : { name, equals },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
