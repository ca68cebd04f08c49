import { attributed, type Attribution } from '../attribution/attribution.ts';
import { decideRequest, type GatePorts } from '../calls/call-gate.ts';
import { noteExposure } from '../experiments/exposure-commands.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { queueMessage } from '../messages/message-unit.ts';
import { lastInboundAt } from '../messages/window-store.ts';
import type { PermissionRequestId } from '../platform/ids.ts';
import { purposeRefusal } from '../practices/practice-lookup.ts';
import { isRefused, type Refusal, type Refused } from '../platform/refusal.ts';
import { sendRefusal } from '../templates/template-life.ts';
import {
  findTemplate,
  listTemplates,
  type VersionedTemplate,
} from '../templates/template-store.ts';
import {
  asksForPermission,
  DEFAULT_LANGUAGE,
  quickReplies,
  renderTemplate,
} from '../templates/template.ts';
import { applyConsent } from './consent-commands.ts';
import { readConsent, type RequestRow } from './consent-store.ts';
import { requestOf, type ConsentState } from './consent.ts';

export type AskForPermission = {
  purpose: string;
  template: string;
  /** Null: that of the last request to this customer, else en_US. */
  language: string | null;
  variables: readonly string[];
  /** When the business promises to call, or null for "now". */
  promisedAt: number | null;
  attribution?: Attribution | undefined;
  /** Of a request that was planned before; absent: a new one. */
  requestId?: PermissionRequestId;
  actor: string;
};

/**
 * Asks a contact for permission to call: the gate, then request, ledger entry and the message to
 * send, all at once. A refusal leaves its evidence in the ledger and nothing else.
 */
export async function askForPermission(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  ask: AskForPermission,
): Promise<RequestRow | Refused> {
  const { contact, now } = unit;
  const worded = await wordedAsk(unit, line, ask);
  if (isRefused(worded)) return worded;
  const inTheWay = await requestRefusal(unit, ports, line, { ask, worded, at: now });
  if (inTheWay !== null) return refuse(unit, line, ask, inTheWay);
  const { consent, template, text } = worded;
  const { name, language, content, metaVersion } = template;
  const requestId = ask.requestId ?? unit.ids.next('permissionRequest', contact.bucket);
  const state = await applyConsent(
    unit,
    line.id,
    consent,
    {
      type: 'RequestPermission',
      requestId,
      purpose: ask.purpose,
      template: name,
      language,
      ...(metaVersion === null ? {} : { templateVersion: metaVersion }),
      text,
      promisedAt: ask.promisedAt,
      packName: line.policyPack,
      ...attributed(ask.attribution),
      at: now,
    },
    { rules: ports.packs.rulesOf(line.policyPack), actor: ask.actor },
  );
  if (isRefused(state)) return refuse(unit, line, ask, state.refused);
  const request = requestOf(state);
  if (request === null) throw new TypeError('a request was made and is not there');
  queueMessage(unit, {
    lineId: line.id,
    requestId,
    content: {
      kind: 'template',
      name,
      language,
      variables: [...ask.variables],
      replies: quickReplies(content).map(({ text: reply, means }) => ({ text: reply, means })),
    },
  });
  noteExposure(unit, ask.attribution);
  const { accountId, id: contactId } = contact;
  const key = { accountId, contactId, lineId: line.id };
  return { ...key, request, status: 'queued', answeredAt: null, error: null };
}

/** A question in the words in which it would go out now. */
export type WordedAsk = { consent: ConsentState; template: VersionedTemplate; text: string };

/** Finds the template and fills it in; what is wrong with the wish itself is no evidence. */
export async function wordedAsk(
  unit: ContactUnit,
  line: StoredLine,
  ask: AskForPermission,
): Promise<WordedAsk | Refused> {
  const consent = await readConsent(unit.tx, { contactId: unit.contact.id, lineId: line.id });
  const template = await templateFor(unit, line, ask, consent);
  if (isRefused(template)) return template;
  const text = renderTemplate({ name: template.name, ...template.content }, ask.variables);
  return isRefused(text) ? text : { consent, template, text };
}

/** Why the contact may not be asked this at that instant, as far as is known now; null: may be. */
export async function requestRefusal(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  { ask, worded, at }: { ask: AskForPermission; worded: WordedAsk; at: number },
): Promise<Refusal | null> {
  const { template } = worded;
  const { purpose } = ask;
  const decision = await decideRequest(unit.tx, ports, {
    contact: unit.contact,
    line,
    purpose,
    now: at,
    ...(await marketingFacts(unit, line, template)),
  });
  if (decision.refusal !== null) return decision.refusal;
  const vague = await purposeRefusal(unit.tx, line.accountId, purpose);
  // Whoever must not be asked is told so first; that holds whatever becomes of the template.
  return vague ?? sendRefusal(template)?.refused ?? null;
}

/** Sales talk depends on when the customer was last heard; other templates cost no look. */
async function marketingFacts(unit: ContactUnit, line: StoredLine, template: VersionedTemplate) {
  if (template.category !== 'MARKETING') return {};
  const key = { contactId: unit.contact.id, lineId: line.id };
  return { marketing: { lastInboundAt: await lastInboundAt(unit.tx, key) } };
}

/** The template that was named, in the language that was named or that the customer knows. */
async function templateFor(
  unit: ContactUnit,
  line: StoredLine,
  ask: AskForPermission,
  consent: ConsentState,
): Promise<VersionedTemplate | Refused> {
  const owner = { accountId: line.accountId, wabaId: line.sealed.wabaId };
  const last = requestOf(consent)?.language ?? DEFAULT_LANGUAGE;
  const wanted = ask.language === null ? [last, DEFAULT_LANGUAGE] : [ask.language];
  const languages = [...new Set(wanted)];
  for (const language of languages) {
    const found = await findTemplate(unit.tx, owner, ask.template, language);
    if (found === null) continue;
    return asksForPermission(found.content) ? found : notAsking(found);
  }
  const known = await listTemplates(unit.tx, line.accountId, { ...owner, name: ask.template });
  return unknownTemplate(
    ask.template,
    languages,
    known.map(({ language }) => language),
  );
}

function unknownTemplate(
  name: string,
  languages: readonly string[],
  known: readonly string[],
): Refused {
  return {
    refused: {
      code: 'template_unknown',
      message: `There is no template "${name}" in "${languages.join('" or "')}".`,
      fix:
        known.length === 0
          ? 'GET /v1/templates lists what there is; POST /v1/templates/sync asks Meta for more.'
          : `Use one of its languages: ${known.join(', ')}.`,
    },
  };
}

function notAsking({ name, id }: VersionedTemplate): Refused {
  return {
    refused: {
      code: 'template_not_asking',
      message: `Template ${name} has nothing by which a customer could allow a call.`,
      fix: 'Use one with nativePermissionRequest, or with a quick reply that means yes.',
      evidence: { templateId: id },
    },
  };
}

/** A refusal is evidence: it goes into the ledger and to the business. */
export function refuse(
  unit: ContactUnit,
  line: StoredLine,
  ask: AskForPermission,
  refused: Refusal,
): Refused {
  const { code, rule = null } = refused;
  const { requestId } = ask;
  const planned = requestId === undefined ? {} : { requestId };
  const belongs = { ...attributed(ask.attribution), ...planned };
  const data = { lineId: line.id, code, rule, policyPack: line.policyPack, ...belongs };
  const personal = { purpose: ask.purpose };
  unit.record({
    type: 'PermissionRequestRefused',
    actor: ask.actor,
    at: unit.now,
    data,
    personal,
    announce: {
      type: 'permission.refused',
      callId: null,
      sequence: 0,
      data: { ...data, ...personal },
    },
  });
  return { refused };
}
