import { decideRequest, type GatePorts } from '../calls/call-gate.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { messageRows } from '../messages/message-store.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { findTemplate, renderTemplate } from '../templates/template.ts';
import { applyConsent } from './consent-commands.ts';
import { readConsent, type RequestRow } from './consent-store.ts';
import { requestOf } from './consent.ts';

export type AskForPermission = {
  purpose: string;
  template: string;
  language: string;
  variables: readonly string[];
  /** When the business promises to call, or null for "now". */
  promisedAt: number | null;
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
  const template = findTemplate(ask.template, ask.language);
  if (isRefused(template)) return template;
  const text = renderTemplate(template, ask.variables);
  if (isRefused(text)) return text;
  const { contact, now } = unit;
  const decision = await decideRequest(unit.tx, ports, {
    contact,
    line,
    purpose: ask.purpose,
    now,
  });
  if (decision.refusal !== null) return refuse(unit, line, ask, decision.refusal);
  const requestId = unit.ids.next('permissionRequest', contact.bucket);
  const consent = await readConsent(unit.tx, { contactId: contact.id, lineId: line.id });
  const state = await applyConsent(
    unit,
    line.id,
    consent,
    {
      type: 'RequestPermission',
      requestId,
      purpose: ask.purpose,
      template: template.name,
      language: template.language,
      text,
      promisedAt: ask.promisedAt,
      packName: line.policyPack,
      at: now,
    },
    { rules: ports.packs.rulesOf(line.policyPack), actor: ask.actor },
  );
  if (isRefused(state)) return refuse(unit, line, ask, state.refused);
  const request = requestOf(state);
  if (request === null) throw new TypeError('a request was made and is not there');
  const id = unit.ids.next('message', contact.bucket);
  const { accountId, id: contactId } = contact;
  unit.save(messageRows, id, {
    id,
    accountId,
    contactId,
    lineId: line.id,
    requestId,
    content: {
      kind: 'template',
      name: template.name,
      language: template.language,
      variables: [...ask.variables],
    },
    status: 'queued',
    wamid: null,
    dueAt: now,
    attempts: 0,
    lastError: null,
    createdAt: now,
  });
  const key = { accountId, contactId, lineId: line.id };
  return { ...key, request, status: 'queued', answeredAt: null, error: null };
}

function refuse(
  unit: ContactUnit,
  line: StoredLine,
  ask: AskForPermission,
  refused: Refused['refused'],
): Refused {
  const { code, rule = null } = refused;
  const data = { lineId: line.id, code, rule, policyPack: line.policyPack };
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
