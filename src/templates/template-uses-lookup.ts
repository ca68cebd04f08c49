import { campaignsThatSend } from '../campaigns/uses-store.ts';
import type { Queryable } from '../database/database.ts';
import { experimentsThatSend } from '../experiments/experiment-store.ts';
import { journeysThatSend } from '../journeys/journey-uses-store.ts';
import { listTemplates, type StoredTemplate } from './template-store.ts';

/** Names of what asks or writes with a template; five of each kind at most. */
export type TemplateUsers = { journeys: string[]; campaigns: string[]; experiments: string[] };

/**
 * What would miss a template; null where nothing would. A step that names no language takes what
 * there is, so it misses the template only if no other language of the name is left.
 */
export async function templateUsers(
  db: Queryable,
  { id, accountId, name, language }: StoredTemplate,
): Promise<TemplateUsers | null> {
  const alike = await listTemplates(db, accountId, { name });
  const wanted = { name, language, isOnly: alike.every((each) => each.id === id) };
  const users = {
    journeys: await journeysThatSend(db, accountId, wanted),
    campaigns: await campaignsThatSend(db, accountId, wanted),
    experiments: await experimentsThatSend(db, accountId, wanted),
  };
  return Object.values(users).every(({ length }) => length === 0) ? null : users;
}
