import { z } from 'zod';
import { contactFor } from '../contacts/contact-lookup.ts';
import { readContact } from '../contacts/contact-store.ts';
import { type ApiContext, found, idFrom, lineFor, refusedAnswer } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { withContact } from '../ledger/contact-unit.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { isRefused } from '../platform/refusal.ts';
import { inviteToCall, type InviteToCall } from './call-button-commands.ts';
import { listMessages, readMessage } from './message-store.ts';
import type { Message } from './message.ts';

const tags = ['messages'];

/** Meta's limits of call buttons: 20 characters, 30 days, 512 characters. */
const buttonBody = z.strictObject({
  to: z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.'),
  name: oneLine(100).optional().describe('How to address the customer.'),
  lineId: z.string().optional(),
  text: z
    .string()
    .min(1)
    .max(1_024)
    .optional()
    .describe('A free-form message; only within 24 hours of the last message of the customer.'),
  template: z
    .string()
    .max(200)
    .optional()
    .describe('Instead of text: an approved template with a call button.'),
  language: z.string().max(20).optional(),
  variables: z.array(z.string().max(1_000)).max(20).default([]),
  label: oneLine(20).default('Call now').describe('On the button; a template has its own.'),
  ttlMinutes: z.int().min(1).max(43_200).default(10_080).describe('How long the button works.'),
  payload: oneLine(512).optional().describe('Comes back with the call of the customer.'),
});

const messageSchema = z.object({
  id: z.string(),
  contactId: z.string(),
  lineId: z.string(),
  requestId: z.string().nullable().describe('Of a message that asks for permission.'),
  kind: z.enum(['template', 'text', 'native_request', 'call_button', 'survey']),
  template: z.string().nullable(),
  language: z.string().nullable(),
  text: z.string().nullable().describe('Null for templates.'),
  status: z
    .enum(['queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown'])
    .describe("unknown: Meta's answer was lost; it is not sent again, a webhook will tell."),
  createdAt: z.string(),
  deliveredAt: z.string().nullable(),
  readAt: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).nullable(),
});

/** Messages to customers, and the one that has a button to call the business. */
export function registerMessageRoutes(app: HttpServer, context: ApiContext): void {
  registerCallButtons(app, context);
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/contacts/:id/messages',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What was sent to a contact, newest first, and what became of it',
        params: z.object({ id: z.string() }),
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(messageSchema) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const { accountId } = accountOf(request);
      const contactId = idFrom('contact', request.params.id);
      found(await readContact(database, accountId, contactId), 'contact');
      const rows = await listMessages(database, accountId, {
        contactId,
        after: afterIdOf(request.query),
        limit: limit + 1,
      });
      return pageOf(rows, limit, messageView);
    },
  );

  app.get(
    '/v1/messages/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One message',
        params: z.object({ id: z.string() }),
        response: { 200: messageSchema },
      },
    },
    async (request) => {
      const message = await readMessage(database, idFrom('message', request.params.id));
      const own = message?.accountId === accountOf(request).accountId ? message : null;
      return messageView(found(own, 'message'));
    },
  );
}

function registerCallButtons(app: HttpServer, context: ApiContext): void {
  app.post(
    '/v1/call-buttons',
    {
      onRequest: context.authenticator.authenticate,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Send a message by whose button the customer calls you',
        description:
          'The lawful way where business-initiated calls are not available. Opt-outs and ' +
          'do-not-call lists bind it as they bind calls.',
        body: buttonBody,
        response: { 202: messageSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { body } = request;
      const invite = inviteOf(body, `api:${keyId}`);
      await idempotent(request, reply, context, async (tx) => {
        const line = await lineFor(tx, accountId, body.lineId);
        const contactId = await contactFor(tx, context, accountId, {
          to: body.to,
          name: body.name,
        });
        if (isRefused(contactId)) return refusedAnswer(contactId);
        const message = await withContact(context, tx, contactId, (unit) =>
          inviteToCall(unit, context, line, invite),
        );
        if (isRefused(message)) return refusedAnswer(message);
        return { status: 202, body: messageView(message) };
      });
    },
  );
}

function inviteOf(body: z.infer<typeof buttonBody>, actor: string): InviteToCall {
  const { text, template, language = null, variables, label, ttlMinutes, payload = null } = body;
  const button = { label, ttlMinutes, payload };
  if (text !== undefined && template === undefined) return { button, content: { text }, actor };
  if (text === undefined && template !== undefined) {
    return { button, content: { template, language, variables }, actor };
  }
  throw new HttpError('invalid_request', 'It needs either a text or a template.', {
    fields: [
      {
        field: text === undefined ? 'text' : 'template',
        rule: 'exactly one of text and template',
        fix: 'Send text while the window is open, else template.',
      },
    ],
  });
}

function messageView(message: Message): z.infer<typeof messageSchema> {
  const { id, contactId, lineId, requestId, content, status } = message;
  const { deliveredAt = null, readAt = null, failure = null } = message;
  const reached = readAt !== null ? 'read' : deliveredAt !== null ? 'delivered' : status;
  return {
    id,
    contactId,
    lineId,
    requestId,
    kind: content.kind,
    template: content.kind === 'template' ? content.name : null,
    language: content.kind === 'template' ? content.language : null,
    text: content.kind === 'template' ? null : content.text,
    status: status === 'failed' ? status : reached,
    createdAt: isoTime(message.createdAt),
    deliveredAt: isoTimeOrNull(deliveredAt),
    readAt: isoTimeOrNull(readAt),
    error: failure,
  };
}
