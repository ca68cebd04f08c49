import { gatherGateFacts, type GateFacts, type GatePorts } from '../calls/call-gate.ts';
import { detailsOf } from '../contacts/contact-detail-store.ts';
import type { Contact } from '../contacts/contact.ts';
import type { Queryable } from '../database/database.ts';
import { readExperiment } from '../experiments/experiment-store.ts';
import { readJourney } from '../journeys/journey-store.ts';
import { readLine, type StoredLine } from '../lines/line-store.ts';
import { lastInboundAt } from '../messages/window-store.ts';
import type { Refusal } from '../platform/refusal.ts';
import { sendRefusal } from '../templates/template-life.ts';
import { listTemplates, type VersionedTemplate } from '../templates/template-store.ts';
import type { Campaign } from './campaign.ts';
import type { CampaignPlan, PersonFacts, TemplateStanding } from './campaign-gate.ts';
import { firstContactOf } from './preview.ts';

/** What a campaign would do; null where its journey was deleted or its line is gone. */
export async function planOf(db: Queryable, campaign: Campaign): Promise<CampaignPlan | null> {
  const { accountId, lineId, journeyId, journeyVersion, settings } = campaign;
  const line = await readLine(db, accountId, lineId);
  const present = await readJourney(db, accountId, journeyId);
  const journey =
    present === null || present.version === journeyVersion
      ? present
      : await readJourney(db, accountId, journeyId, journeyVersion);
  if (line === null || journey === null) return null;
  const { document } = journey;
  const { ask, call } = firstContactOf(document);
  const { experimentId = null } = settings;
  const experiment =
    experimentId === null ? null : await readExperiment(db, accountId, experimentId);
  const armTemplates = new Map<string, TemplateStanding>();
  for (const { name, overrides } of ask === null ? [] : (experiment?.arms ?? [])) {
    if (overrides.template === undefined && overrides.language === undefined) continue;
    armTemplates.set(name, await standingOf(db, line, { ...ask, ...overrides }));
  }
  return {
    line,
    document,
    settings,
    purpose: ask?.purpose ?? call?.purpose ?? '',
    asks: ask !== null,
    template:
      ask === null ? { unsendable: null, category: 'UTILITY' } : await standingOf(db, line, ask),
    experiment,
    armTemplates,
  };
}

type Asking = { template?: string; language?: string | undefined };

async function standingOf(
  db: Queryable,
  line: StoredLine,
  { template: name = '', language }: Asking,
): Promise<TemplateStanding> {
  const template = await templateOf(db, line, { template: name, language });
  const category = template?.category === 'MARKETING' ? 'MARKETING' : 'UTILITY';
  return { unsendable: unsendable(name, template), category };
}

async function templateOf(
  db: Queryable,
  line: StoredLine,
  { template: name, language }: { template: string; language?: string | undefined },
): Promise<VersionedTemplate | null> {
  const { wabaId } = line.sealed;
  const known = await listTemplates(db, line.accountId, { wabaId, name });
  const named = known.filter((each) => language === undefined || each.language === language);
  return named.find((each) => sendRefusal(each) === null) ?? named[0] ?? null;
}

function unsendable(name: string, template: VersionedTemplate | null): Refusal | null {
  if (template !== null) return sendRefusal(template)?.refused ?? null;
  return {
    code: 'template_unknown',
    message: `There is no template "${name}" on this line.`,
    fix: 'GET /v1/templates lists what there is; POST /v1/templates/sync asks Meta for more.',
  };
}

/** The facts of the gate for some people of a campaign, in a handful of statements. */
export async function factsFor(
  db: Queryable,
  ports: GatePorts,
  { line, template, armTemplates, asks }: CampaignPlan,
  contacts: readonly Contact[],
): Promise<{ facts: GateFacts; people: PersonFacts[] }> {
  const facts = await gatherGateFacts(db, ports, contacts, []);
  const details = await detailsOf(
    db,
    contacts.map(({ id }) => id),
  );
  const isSales = [template, ...armTemplates.values()].some(
    ({ category }) => category === 'MARKETING',
  );
  const people: PersonFacts[] = [];
  for (const contact of contacts) {
    // Only sales talk depends on when somebody was last heard, so only it pays for the look.
    const heardAt =
      asks && isSales ? await lastInboundAt(db, { contactId: contact.id, lineId: line.id }) : null;
    people.push({ contact, details: details.get(contact.id) ?? null, lastInboundAt: heardAt });
  }
  return { facts, people };
}
