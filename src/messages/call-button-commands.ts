import { decideRequest, type GatePorts } from '../calls/call-gate.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { isRefused, type Refusal, type Refused } from '../platform/refusal.ts';
import { sendRefusal } from '../templates/template-life.ts';
import { findTemplate, type VersionedTemplate } from '../templates/template-store.ts';
import { callButton, DEFAULT_LANGUAGE, renderTemplate } from '../templates/template.ts';
import { queueMessage } from './message-unit.ts';
import type { Message, MessageContent } from './message.ts';
import { lastInboundAt, WINDOW_MS } from './window-store.ts';

/**
 * The lawful way where the business may not call: a message with a button by which the customer
 * calls. Stops and do-not-call lists bind it as they bind calls; countries do not.
 */
export type InviteToCall = {
  button: { label: string; ttlMinutes: number; payload: string | null };
  /** Free text inside the open window, or an approved template with a call button. */
  content:
    | { text: string }
    | { template: string; language: string | null; variables: readonly string[] };
  actor: string;
};

/** What binds a message that calls nobody: the person's stop, the place, the line. */
const BINDING = new Set(['line_enabled', 'sanctioned', 'do_not_call', 'messaging_window']);

export async function inviteToCall(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  invite: InviteToCall,
): Promise<Message | Refused> {
  const { contact, now } = unit;
  const key = { contactId: contact.id, lineId: line.id };
  const heardAt = await lastInboundAt(unit.tx, key);
  const prepared = await contentOf(unit, line, invite);
  if (isRefused(prepared)) return prepared;
  const { content, template } = prepared;
  const isSales = template?.category === 'MARKETING';
  const { verdicts } = await decideRequest(unit.tx, ports, {
    contact,
    line,
    purpose: '',
    now,
    ...(isSales ? { marketing: { lastInboundAt: heardAt } } : {}),
  });
  const bound = verdicts.find(({ rule, verdict }) => verdict === 'refuse' && BINDING.has(rule));
  if (bound !== undefined) {
    const { code, message, fix, rule, evidence } = bound;
    const refusal = { code: code ?? 'refused', message, fix: fix ?? '', rule, evidence };
    return refuse(unit, line, invite, refusal);
  }
  const closed = template === null ? windowRefusal(heardAt, now) : null;
  const unsendable = template === null ? null : sendRefusal(template);
  const refused = closed ?? unsendable;
  if (refused !== null) return refuse(unit, line, invite, refused.refused);
  return queue(unit, line, invite, content, template);
}

type Prepared = { content: MessageContent; template: VersionedTemplate | null };

async function contentOf(
  unit: ContactUnit,
  line: StoredLine,
  { button, content }: InviteToCall,
): Promise<Prepared | Refused> {
  if ('text' in content) {
    return { content: { kind: 'call_button', text: content.text, ...button }, template: null };
  }
  const owner = { accountId: line.accountId, wabaId: line.sealed.wabaId };
  const language = content.language ?? DEFAULT_LANGUAGE;
  const template = await findTemplate(unit.tx, owner, content.template, language);
  if (template === null) return unknown(content.template, language);
  if (callButton(template.content) === null) return without(template);
  const text = renderTemplate({ name: template.name, ...template.content }, content.variables);
  if (isRefused(text)) return text;
  const { ttlMinutes, payload } = button;
  return {
    content: {
      kind: 'template',
      name: template.name,
      language,
      variables: [...content.variables],
      callButton: { ttlMinutes, payload },
    },
    template,
  };
}

function queue(
  unit: ContactUnit,
  line: StoredLine,
  { actor, button }: InviteToCall,
  content: MessageContent,
  template: VersionedTemplate | null,
): Message {
  const { now } = unit;
  const message = queueMessage(unit, { lineId: line.id, requestId: null, content });
  unit.record({
    type: 'CallButtonRequested',
    actor,
    at: now,
    data: {
      lineId: line.id,
      messageId: message.id,
      template: template?.name ?? null,
      templateVersion: template?.metaVersion ?? null,
      ttlMinutes: button.ttlMinutes,
      policyPack: line.policyPack,
    },
    personal: { content },
  });
  return message;
}

function windowRefusal(heardAt: number | null, now: number): Refused | null {
  if (heardAt !== null && now < heardAt + WINDOW_MS) return null;
  return {
    refused: {
      code: 'messaging_window_closed',
      message: 'A free-form message goes only to customers who wrote within the last 24 hours.',
      fix: 'Name an approved template with a call button, such as call_invitation, instead.',
      evidence: { lastInboundAt: heardAt, windowMs: WINDOW_MS },
    },
  };
}

function unknown(name: string, language: string): Refused {
  return {
    refused: {
      code: 'template_unknown',
      message: `There is no template "${name}" in "${language}".`,
      fix: 'GET /v1/templates lists what there is.',
    },
  };
}

function without({ name, id }: VersionedTemplate): Refused {
  return {
    refused: {
      code: 'template_without_call_button',
      message: `Template ${name} has no button by which a customer could call.`,
      fix: 'Use one with a button of kind "call", such as call_invitation.',
      evidence: { templateId: id },
    },
  };
}

function refuse(
  unit: ContactUnit,
  line: StoredLine,
  { actor }: InviteToCall,
  refusal: Refusal,
): Refused {
  const { code, rule = null } = refusal;
  const data = { lineId: line.id, code, rule, policyPack: line.policyPack };
  unit.record({
    type: 'CallButtonRefused',
    actor,
    at: unit.now,
    data,
    announce: { type: 'call_button.refused', callId: null, sequence: 0, data },
  });
  return { refused: refusal };
}
