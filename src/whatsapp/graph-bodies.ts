import { invariant } from '../platform/invariant.ts';
import { hoursBody } from './call-hours.ts';
import type {
  CallButton,
  CallingChange,
  ChoiceList,
  Recipient,
  TemplateDraft,
  TemplateMessage,
} from './whatsapp.ts';

/** Request bodies in Meta's words. */
type MessageBody = Record<string, unknown>;

/** `to` wins when both are known; a business-scoped user id goes into `recipient`. */
function addressed(to: Recipient, opaque: string): MessageBody {
  invariant(to.to !== undefined || to.userId !== undefined, 'a recipient needs a number or an id');
  return {
    messaging_product: 'whatsapp',
    ...(to.to === undefined ? { recipient: to.userId } : { to: to.to.replace(/^\+/, '') }),
    biz_opaque_callback_data: opaque,
  };
}

export function templateMessageBody(
  to: Recipient,
  template: TemplateMessage,
  opaque: string,
): MessageBody {
  const parameters = template.variables.map((text) => ({ type: 'text', text }));
  const components = [
    // Meta refuses an empty list of parameters for a template without variables.
    ...(parameters.length === 0 ? [] : [{ type: 'body', parameters }]),
    ...(template.callButton === undefined ? [] : [callButtonPart(template.callButton)]),
  ];
  return {
    ...addressed(to, opaque),
    recipient_type: 'individual',
    type: 'template',
    template: {
      name: template.name,
      language: { code: template.language },
      ...(components.length === 0 ? {} : { components }),
    },
  };
}

/** A template may hold other buttons too, but only one of this kind, and it stands first. */
function callButtonPart({ ttlMinutes, payload }: Pick<CallButton, 'ttlMinutes' | 'payload'>) {
  return {
    type: 'button',
    sub_type: 'voice_call',
    index: 0,
    parameters: [
      { type: 'ttl_minutes', ttl_minutes: ttlMinutes },
      ...(payload === null ? [] : [{ type: 'payload', payload }]),
    ],
  };
}

/** Free-form, with a button that calls the business (call button messages page). */
export function callButtonBody(
  to: Recipient,
  { text, button }: { text: string; button: CallButton },
  opaque: string,
): MessageBody {
  return {
    ...addressed(to, opaque),
    recipient_type: 'individual',
    type: 'interactive',
    interactive: {
      type: 'voice_call',
      body: { text },
      action: {
        name: 'voice_call',
        parameters: {
          display_text: button.label,
          ttl_minutes: button.ttlMinutes,
          ...(button.payload === null ? {} : { payload: button.payload }),
        },
      },
    },
  };
}

/** An interactive list of one section, which then needs no title. */
export function listBody(
  to: Recipient,
  { text, button, rows }: ChoiceList,
  opaque: string,
): MessageBody {
  return {
    ...addressed(to, opaque),
    recipient_type: 'individual',
    type: 'interactive',
    interactive: {
      type: 'list',
      body: { text },
      action: { button, sections: [{ rows: rows.map(({ id, title }) => ({ id, title })) }] },
    },
  };
}

export function textMessageBody(to: Recipient, text: string, opaque: string): MessageBody {
  return {
    ...addressed(to, opaque),
    recipient_type: 'individual',
    type: 'text',
    text: { body: text, preview_url: false },
  };
}

/** Free-form request: neither header nor footer is allowed. */
export function callPermissionRequestBody(
  to: Recipient,
  text: string,
  opaque: string,
): MessageBody {
  return {
    ...addressed(to, opaque),
    recipient_type: 'individual',
    type: 'interactive',
    interactive: {
      type: 'call_permission_request',
      action: { name: 'call_permission_request' },
      body: { text },
    },
  };
}

/** The SDP goes in as it is, with CRLF; encoding it a second time is Meta's legacy form. */
export function connectCallBody(to: Recipient, sdp: string, opaque: string): MessageBody {
  return {
    ...addressed(to, opaque),
    action: 'connect',
    session: { sdp_type: 'offer', sdp },
  };
}

/** The calling block of the settings; what is left out stays as it is at Meta. */
export function callingBody(change: CallingChange): MessageBody {
  const { enabled, keyExchange, callback, hours } = change;
  return {
    calling: {
      ...(enabled === undefined ? {} : { status: onOff(enabled) }),
      ...(callback === undefined ? {} : { callback_permission_status: onOff(callback) }),
      ...(hours === undefined ? {} : { call_hours: hoursBody(hours) }),
      ...(keyExchange === undefined
        ? {}
        : { srtp_key_exchange_protocol: keyExchange.toUpperCase() }),
    },
  };
}

function onOff(wanted: boolean): string {
  return wanted ? 'ENABLED' : 'DISABLED';
}

export function templateDraftBody(draft: TemplateDraft): MessageBody {
  const { name, language } = draft;
  return { name, language, ...templateContentBody(draft) };
}

/** What an edit sends: name and language cannot change. */
export function templateContentBody(draft: TemplateDraft): MessageBody {
  const { category, header, body, samples, footer, buttons, nativePermissionRequest } = draft;
  invariant(
    !nativePermissionRequest || buttons.length === 0,
    'quick replies and a native request exclude',
  );
  return {
    category,
    components: [
      ...(header === null ? [] : [{ type: 'HEADER', format: 'TEXT', text: header }]),
      {
        type: 'BODY',
        text: body,
        ...(samples.length === 0 ? {} : { example: { body_text: [[...samples]] } }),
      },
      ...(footer === null ? [] : [{ type: 'FOOTER', text: footer }]),
      ...(buttons.length === 0 ? [] : [{ type: 'BUTTONS', buttons: buttonParts(buttons) }]),
      ...(nativePermissionRequest ? [{ type: 'call_permission_request' }] : []),
    ],
  };
}

/** The call button goes first, for sending names it by its place. */
function buttonParts(buttons: TemplateDraft['buttons']): object[] {
  const of = (wanted: string) => buttons.filter(({ kind }) => kind === wanted);
  return [
    ...of('call').map(({ text }) => ({ type: 'VOICE_CALL', text })),
    ...of('quick_reply').map(({ text }) => ({ type: 'QUICK_REPLY', text })),
  ];
}
