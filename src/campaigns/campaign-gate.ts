import {
  consentIn,
  decideCall,
  judgeRequest,
  waitsForMeta,
  type GateFacts,
  type GatePorts,
} from '../calls/call-gate.ts';
import type { Contact } from '../contacts/contact.ts';
import type { ContactDetails } from '../contacts/contact-fields.ts';
import { armOf, type Assigning } from '../experiments/assignment.ts';
import type { JourneyDocument } from '../journeys/journey.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { Refusal } from '../platform/refusal.ts';
import { limitingLayers } from '../policy/layers.ts';
import { filledText } from '../scripts/script-text.ts';
import type { CampaignSettings } from './campaign.ts';
import type { Judged } from './preview.ts';

/** What a campaign would do with each of its people. */
export type CampaignPlan = {
  line: StoredLine;
  document: JourneyDocument;
  settings: CampaignSettings;
  /** Of the first question, or of the first call where nobody is asked; with its variables. */
  purpose: string;
  asks: boolean;
  /** Of the template that asks. */
  template: TemplateStanding;
  /** Whose arms change it, and how the template of each arm with one of its own stands. */
  experiment: Assigning | null;
  armTemplates: ReadonlyMap<string, TemplateStanding>;
};

export type TemplateStanding = {
  /** Why it cannot be sent at all; null where it can, or where nobody is asked. */
  unsendable: Refusal | null;
  /** Sales talk depends on when each person was last heard. */
  category: 'UTILITY' | 'MARKETING';
};

export type PersonFacts = {
  contact: Contact;
  details: ContactDetails | null;
  lastInboundAt: number | null;
};

const WEEK_MS = 7 * 86_400_000;

/**
 * What the gate says of one person now: reachable on a permission that is there, to be asked, or
 * kept out. The same rules that judge the journey's own steps, asked a moment earlier; so this can
 * save a person a pointless start, and never let through what the gate would not.
 */
export function judgePerson(
  ports: GatePorts,
  facts: GateFacts,
  plan: CampaignPlan,
  { contact, details, lastInboundAt }: PersonFacts,
  now: number,
): Judged {
  const { line } = plan;
  const { country } = contact;
  const variables = variablesFor(plan.settings, contact, details);
  const drawn = plan.experiment === null ? null : armOf(plan.experiment, contact.id);
  const template = plan.armTemplates.get(drawn?.arm ?? '') ?? plan.template;
  const own = filledText(plan.purpose, textsFor(plan, contact, variables));
  const purpose = drawn?.overrides.purpose ?? own;
  const asked = { contact, line, purpose, now };
  const call = decideCall(ports, facts, { ...asked, callId: null, endpointKnown: true });
  const requestsLeft = plan.asks ? requestsLeftFor(ports, facts, plan, contact, now) : 0;
  if (call.allowed || waitsForMeta(call)) return { country, verdict: 'reachable', requestsLeft };
  if (!plan.asks) return { country, verdict: keptOut(call.refusal), requestsLeft };
  const marketing = template.category === 'MARKETING' ? { marketing: { lastInboundAt } } : {};
  const request = judgeRequest(ports, facts, { ...asked, ...marketing });
  if (request.refusal === null) {
    const verdict = template.unsendable === null ? 'askable' : keptOut(template.unsendable);
    return { country, verdict, requestsLeft };
  }
  // A live permission is no reason to ask; what keeps the call back is then what counts.
  const isLive = request.refusal.code === 'permission_live';
  const refusal = isLive ? call.refusal : request.refusal;
  const isForGood = refusal?.allowedAt === undefined;
  return { country, verdict: keptOut(refusal), requestsLeft: isForGood ? 0 : requestsLeft };
}

function keptOut(refusal: Refusal | null): Judged['verdict'] {
  const { code = 'refused', rule = null, allowedAt = null } = refusal ?? {};
  return { code, rule: rule ?? null, laterAt: allowedAt };
}

/** What the journey declares, for one person; what nobody knows of them is left out. */
export function variablesFor(
  { variables }: CampaignSettings,
  contact: Contact,
  details: ContactDetails | null,
): Record<string, string> {
  const own: Readonly<Record<string, string | null>> = {
    name: contact.name,
    language: contact.language,
    external_id: details?.externalId ?? null,
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, source]) => {
      if ('text' in source) return [[name, source.text]];
      const known = details?.columns[source.column] ?? own[source.column] ?? '';
      return known === '' ? [] : [[name, known]];
    }),
  );
}

/** As the run will fill its texts in. */
function textsFor(
  { document, line }: CampaignPlan,
  contact: Contact,
  given: Record<string, string>,
): Record<string, string> {
  const defaults = Object.entries(document.variables).flatMap(([name, { default: text }]) =>
    text === undefined ? [] : [[name, text] as const],
  );
  const builtin = { contactName: contact.name ?? 'there', business: line.name };
  return { ...Object.fromEntries(defaults), ...given, ...builtin };
}

/** So many questions every layer still allows to this person on the line, in seven days. */
function requestsLeftFor(
  ports: GatePorts,
  facts: GateFacts,
  { line }: CampaignPlan,
  contact: Contact,
  now: number,
): number {
  const { history } = consentIn(facts, contact.id, line.id);
  const layers = limitingLayers(ports.packs.layersOf(line, contact));
  const caps = layers.flatMap(({ limits }) => limits.requests ?? []);
  const left = caps.map(({ requestsMax, windowMs, resetBy }) => {
    if (windowMs < WEEK_MS) return Math.floor(WEEK_MS / windowMs) * requestsMax;
    const all = resetBy === 'yes' ? history.requestsWithoutYes : history.requestsSinceConnected;
    return requestsMax - all.filter((at) => at > now - windowMs).length;
  });
  return left.length === 0 ? 0 : Math.max(0, Math.min(...left));
}
