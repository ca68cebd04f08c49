import type { z } from 'zod';
import { hoursFromWire } from './call-hours.ts';
import type {
  CallPermissions,
  CallingSettings,
  ListedTemplate,
  SentMessage,
  TemplateDraft,
} from './whatsapp.ts';
import {
  templateComponentWire,
  type callPermissionsWire,
  type ListedTemplateWire,
  type phoneNumberWire,
  type sentMessageWire,
  type settingsWire,
} from './wire.ts';

/** Graph answers in our words. */
export function sentMessageFromWire(answer: z.infer<typeof sentMessageWire>): SentMessage {
  const contact = answer.contacts[0];
  return {
    messageId: answer.messages[0]?.id ?? '',
    ...(contact?.wa_id === undefined ? {} : { waId: contact.wa_id }),
    ...(contact?.user_id === undefined ? {} : { userId: contact.user_id }),
  };
}

export function callPermissionsFromWire(
  answer: z.infer<typeof callPermissionsWire>,
): CallPermissions {
  const expiresAt = answer.permission.expiration_time ?? null;
  const status = permissionStatus(answer.permission.status, expiresAt);
  const may = (name: string): boolean | undefined =>
    answer.actions.find((action) => action.action_name === name)?.can_perform_action;
  return {
    status,
    expiresAt,
    // Actions are left out where Meta has nothing to say; then the status speaks.
    canRequest: may('send_call_permission_request') ?? status === 'none',
    canCall: may('start_call') ?? (status === 'temporary' || status === 'permanent'),
    limits: answer.actions.flatMap((action) =>
      action.limits.map((limit) => ({
        action: action.action_name,
        period: limit.time_period,
        max: limit.max_allowed,
        used: limit.current_usage,
        resetsAt: limit.limit_expiration_time ?? null,
      })),
    ),
  };
}

/** The guides say no_permission, temporary, permanent; the OpenAPI file has four other words. */
function permissionStatus(word: string, expiresAt: number | null): CallPermissions['status'] {
  switch (word) {
    case 'temporary':
    case 'permanent':
      return word;
    case 'granted':
      return expiresAt === null ? 'permanent' : 'temporary';
    case 'no_permission':
    case 'pending':
    case 'denied':
    case 'expired':
      return 'none';
    default:
      return 'unknown';
  }
}

export function settingsFromWire(answer: z.infer<typeof settingsWire>): CallingSettings {
  return {
    enabled: answer.calling?.status === 'enabled',
    sipEnabled: answer.calling?.sip?.status === 'enabled',
    // One OpenAPI file of Meta's writes DTLS-SRTP; left out until it was set once.
    keyExchange: answer.calling?.srtp_key_exchange_protocol?.includes('sdes') ? 'sdes' : 'dtls',
    callback: answer.calling?.callback_permission_status === 'enabled',
    hours: hoursFromWire(answer.calling?.call_hours),
    restrictions: (answer.calling?.restrictions?.restrictions_list ?? []).map((item) => ({
      type: item.type,
      expiresAt: item.expiration ?? null,
      ...(item.reason === undefined ? {} : { reason: item.reason }),
    })),
  };
}

export function phoneNumberFromWire(answer: z.infer<typeof phoneNumberWire>): {
  displayPhoneNumber: string;
  verifiedName?: string;
  qualityRating?: string;
} {
  return {
    displayPhoneNumber: answer.display_phone_number,
    ...(answer.verified_name === undefined ? {} : { verifiedName: answer.verified_name }),
    ...(answer.quality_rating === undefined ? {} : { qualityRating: answer.quality_rating }),
  };
}

export function listedTemplateFromWire(listed: ListedTemplateWire): ListedTemplate {
  const { id, name, language, status, category, rejected_reason: reason } = listed;
  const quality = listed.quality_score?.score.toUpperCase() ?? 'UNKNOWN';
  return {
    id,
    name,
    language,
    status: status.toUpperCase(),
    category: category.toUpperCase(),
    rejectedReason: reason === undefined || reason === 'NONE' ? null : reason,
    quality: quality === 'UNKNOWN' ? null : quality,
    draft: draftFromWire({ name, language, category, components: listed.components }),
  };
}

type WireDraft = { name: string; language: string; category: string; components: unknown[] };

/** Meta's components in our words; null for a template that holds more than we can send. */
export function draftFromWire(wire: WireDraft): TemplateDraft | null {
  const { name, language } = wire;
  const category = wire.category.toUpperCase();
  if (category !== 'UTILITY' && category !== 'MARKETING') return null;
  const draft: TemplateDraft = {
    name,
    language,
    category,
    header: null,
    body: '',
    samples: [],
    footer: null,
    buttons: [],
    nativePermissionRequest: false,
  };
  for (const raw of wire.components) {
    const parsed = templateComponentWire.safeParse(raw);
    if (!parsed.success) return null;
    const { type, format, text = '', example, buttons = [] } = parsed.data;
    if (type === 'BODY') {
      draft.body = text;
      draft.samples = example?.body_text?.[0] ?? [];
    } else if (type === 'HEADER' && (format ?? 'TEXT') === 'TEXT' && !text.includes('{{')) {
      draft.header = text;
    } else if (type === 'FOOTER') {
      draft.footer = text;
    } else if (type === 'CALL_PERMISSION_REQUEST') {
      draft.nativePermissionRequest = true;
    } else if (type === 'BUTTONS' && buttons.every(({ type: kind }) => kind in BUTTON_KINDS)) {
      draft.buttons = buttons.map((button) => ({
        kind: BUTTON_KINDS[button.type] ?? 'quick_reply',
        text: button.text,
      }));
    } else {
      return null;
    }
  }
  return draft.body === '' ? null : draft;
}

const BUTTON_KINDS: Readonly<Record<string, 'quick_reply' | 'call'>> = {
  QUICK_REPLY: 'quick_reply',
  VOICE_CALL: 'call',
};
