import type { Simulation, Call, Line, Person, Template } from './simulation.ts';
import { webhookError, type MetaErrorCode } from './graph-error.ts';
import { newWamid, waIdOf } from './meta-ids.ts';

/**
 * The `value` of every webhook the simulator sends, in the shapes of Meta's reference pages
 * (June 2026). A field that is undefined does not reach the wire.
 */
export type Addressing = { waId: string | undefined; userId: string };

type Value = Record<string, unknown>;

/** Seconds since 1970 as text: Meta's documented form. */
export function seconds(atMs: number): string {
  return String(Math.floor(atMs / 1000));
}

/** `connect` or `terminate` of a call. Resolves when the first attempt is over. */
export function sendCallEvent(
  sim: Simulation,
  call: Call,
  event: 'connect' | 'terminate',
): Promise<void> {
  return sendAbout(sim, call.line, call.person, 'calls', event, (who) => {
    const errors = event === 'terminate' ? terminateErrors(call) : undefined;
    return {
      calls: [
        {
          id: call.id,
          ...parties(call, who),
          event,
          direction: call.direction,
          timestamp: seconds(sim.clock.now()),
          biz_opaque_callback_data: call.opaque,
          ...(event === 'connect' ? session(call) : ending(call)),
        },
      ],
      ...(errors === undefined ? {} : { errors }),
    };
  });
}

/** RINGING, ACCEPTED or REJECTED; only for calls of the business. */
export function sendCallStatus(
  sim: Simulation,
  call: Call,
  status: 'RINGING' | 'ACCEPTED' | 'REJECTED',
): Promise<void> {
  return sendAbout(sim, call.line, call.person, 'calls', status, (who) => ({
    statuses: [
      {
        id: call.id,
        type: 'call',
        status,
        timestamp: seconds(sim.clock.now()),
        recipient_id: who.waId,
        recipient_user_id: who.userId,
        biz_opaque_callback_data: call.opaque,
      },
    ],
  }));
}

/** A message from the person; returns its id. */
export function sendInbound(
  sim: Simulation,
  line: Line,
  person: Person,
  event: string,
  content: Value,
): string {
  const id = newWamid(sim.random);
  void sendAbout(sim, line, person, 'messages', event, (who) => ({
    messages: [
      {
        from: who.waId,
        from_user_id: who.userId,
        id,
        timestamp: seconds(sim.clock.now()),
        ...content,
      },
    ],
  }));
  return id;
}

export type MessageStatus = 'sent' | 'delivered' | 'read' | 'failed';

export function sendMessageStatus(
  sim: Simulation,
  line: Line,
  person: Person,
  message: { id: string; opaque: string | undefined; category: string },
  status: MessageStatus,
  error?: { code: MetaErrorCode; details: string },
): void {
  void sendAbout(sim, line, person, 'messages', status, (who) => ({
    statuses: [
      {
        id: message.id,
        status,
        timestamp: seconds(sim.clock.now()),
        recipient_id: who.waId,
        recipient_user_id: who.userId,
        biz_opaque_callback_data: message.opaque,
        ...(status === 'sent' || status === 'delivered' ? pricing(message.category) : {}),
        ...(error === undefined ? {} : { errors: [webhookError(error.code, error.details)] }),
      },
    ],
  }));
}

export function sendTemplateStatus(sim: Simulation, template: Template): void {
  if (!sim.apps.subscribed.has(template.wabaId)) return;
  const rejected = template.status === 'REJECTED';
  void sim.webhooks.send({
    event: template.status,
    wabaId: template.wabaId,
    field: 'message_template_status_update',
    orderKey: `template ${template.id}`,
    timed: true,
    value: {
      event: template.status,
      message_template_id: Number(template.id),
      message_template_name: template.name,
      message_template_language: template.language,
      message_template_category: template.category,
      reason: template.rejectedReason,
      ...(rejected
        ? {
            rejection_info: {
              reason: template.rejectedReason,
              recommendation: 'Change the template as the reason says and send it again.',
            },
          }
        : {}),
    },
  });
}

export function sendTemplateQuality(sim: Simulation, template: Template, before: string): void {
  sendAboutTemplate(sim, template, 'message_template_quality_update', {
    previous_quality_score: before,
    new_quality_score: template.quality,
  });
}

/** A change comes with the old category; one that is only announced, with the coming one. */
export function sendTemplateCategory(
  sim: Simulation,
  template: Template,
  change: { before: string; coming: string | undefined },
): void {
  sendAboutTemplate(sim, template, 'template_category_update', {
    new_category: template.category,
    ...(change.coming === undefined
      ? { previous_category: change.before }
      : { correct_category: change.coming }),
  });
}

function sendAboutTemplate(
  sim: Simulation,
  template: Template,
  field: string,
  news: Record<string, unknown>,
): void {
  if (!sim.apps.subscribed.has(template.wabaId)) return;
  void sim.webhooks.send({
    event: field,
    wabaId: template.wabaId,
    field,
    orderKey: `template ${template.id}`,
    timed: true,
    value: {
      message_template_id: Number(template.id),
      message_template_name: template.name,
      message_template_language: template.language,
      ...news,
    },
  });
}

export function sendSettingsUpdate(sim: Simulation, line: Line): void {
  if (!sim.apps.subscribed.has(line.wabaId)) return;
  void sim.webhooks.send({
    event: 'account_settings_update',
    wabaId: line.wabaId,
    field: 'account_settings_update',
    orderKey: `line ${line.phoneNumberId}`,
    timed: true,
    value: {
      messaging_product: 'whatsapp',
      timestamp: seconds(sim.clock.now()),
      type: 'phone_number_settings',
      phone_number_settings: { phone_number_id: line.phoneNumberId, calling: line.calling },
    },
  });
}

export function sendRestriction(sim: Simulation, line: Line): void {
  void sim.webhooks.send({
    event: 'ACCOUNT_RESTRICTION',
    wabaId: line.wabaId,
    field: 'account_update',
    orderKey: `line ${line.phoneNumberId}`,
    timed: true,
    value: {
      event: 'ACCOUNT_RESTRICTION',
      phone_number: waIdOf(line.number),
      restriction_info: [
        {
          restriction_type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
          expiration: Math.floor((line.restrictedUntil ?? 0) / 1000),
        },
      ],
    },
  });
}

/** Builds, bends by faults, and sends a webhook that names a person. */
function sendAbout(
  sim: Simulation,
  line: Line,
  person: Person,
  field: 'calls' | 'messages',
  event: string,
  build: (who: Addressing) => Value,
): Promise<void> {
  // An app that is not subscribed to the WABA hears nothing of it.
  if (!sim.apps.subscribed.has(line.wabaId)) return Promise.resolve();
  const hidden = person.hidesNumber || sim.faults.strike('bsuid_only', event) !== undefined;
  const who = { waId: hidden ? undefined : waIdOf(person.number), userId: person.userId };
  const withContacts = sim.faults.strike('missing_contacts', event) === undefined;
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: waIdOf(line.number), phone_number_id: line.phoneNumberId },
    ...(withContacts ? { contacts: [contact(person, who)] } : {}),
    ...build(who),
  };
  return sim.webhooks.send({
    event,
    wabaId: line.wabaId,
    field,
    orderKey: person.number,
    value: timesBent(sim, event, value),
  });
}

function contact(person: Person, who: Addressing): Value {
  return {
    profile: {
      name: person.name,
      ...(person.username === null ? {} : { username: person.username }),
    },
    wa_id: who.waId,
    user_id: who.userId,
  };
}

/** For a call of the business `from` is the business; several of Meta's samples swap them. */
function parties(call: Call, who: Addressing): Value {
  const business = waIdOf(call.line.number);
  return call.direction === 'BUSINESS_INITIATED'
    ? { from: business, to: who.waId, to_user_id: who.userId }
    : { from: who.waId, from_user_id: who.userId, to: business, cta_payload: call.ctaPayload };
}

function session(call: Call): Value {
  const type = call.direction === 'BUSINESS_INITIATED' ? 'answer' : 'offer';
  return {
    session: { sdp_type: type, sdp: call.sdp },
    // The legacy duplicate, encoded twice; Meta still sends it and says to ignore it.
    connection: { webrtc: { sdp: JSON.stringify({ sdp: call.sdp, type }) } },
  };
}

function ending(call: Call): Value {
  if (call.answeredAt === null || call.endedAt === null) return { status: 'FAILED' };
  return {
    status: call.errorCode === null ? 'COMPLETED' : 'FAILED',
    start_time: seconds(call.answeredAt),
    end_time: seconds(call.endedAt),
    duration: Math.max(1, Math.round((call.endedAt - call.answeredAt) / 1000)),
  };
}

function terminateErrors(call: Call): Value[] | undefined {
  if (call.errorCode === null) return undefined;
  return [webhookError(call.errorCode as MetaErrorCode, 'The call was ended by WhatsApp.')];
}

function pricing(category: string): Value {
  return {
    pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category },
  };
}

const TIME_FIELDS = new Set(['timestamp', 'start_time', 'end_time', 'expiration_timestamp']);

function timesBent(sim: Simulation, event: string, value: Value): Value {
  if (sim.faults.strike('integer_times', event) !== undefined) {
    return mapTimes(value, Number) as Value;
  }
  if (sim.faults.strike('string_times', event) !== undefined) {
    return mapTimes(value, String) as Value;
  }
  return value;
}

function mapTimes(node: unknown, convert: (time: unknown) => unknown): unknown {
  if (Array.isArray(node)) return node.map((item) => mapTimes(item, convert));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, item]) => [
      name,
      TIME_FIELDS.has(name) && item !== undefined ? convert(item) : mapTimes(item, convert),
    ]),
  );
}
