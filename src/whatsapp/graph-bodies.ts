import { invariant } from '../platform/invariant.ts';
import type { Recipient, TemplateDraft, TemplateMessage } from './whatsapp.ts';

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
  return {
    ...addressed(to, opaque),
    recipient_type: 'individual',
    type: 'template',
    template: {
      name: template.name,
      language: { code: template.language },
      // Meta refuses an empty list of parameters for a template without variables.
      ...(parameters.length === 0 ? {} : { components: [{ type: 'body', parameters }] }),
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

export function templateDraftBody(draft: TemplateDraft): MessageBody {
  const quickReplies = draft.quickReplies ?? [];
  const native = draft.nativePermissionRequest === true;
  invariant(!native || quickReplies.length === 0, 'quick replies and a native request exclude');
  return {
    name: draft.name,
    language: draft.language,
    category: draft.category,
    components: [
      {
        type: 'BODY',
        text: draft.body,
        ...(draft.samples.length === 0 ? {} : { example: { body_text: [[...draft.samples]] } }),
      },
      ...(draft.footer === undefined ? [] : [{ type: 'FOOTER', text: draft.footer }]),
      ...(quickReplies.length === 0
        ? []
        : [
            {
              type: 'BUTTONS',
              buttons: quickReplies.map((text) => ({ type: 'QUICK_REPLY', text })),
            },
          ]),
      ...(native ? [{ type: 'call_permission_request' }] : []),
    ],
  };
}
