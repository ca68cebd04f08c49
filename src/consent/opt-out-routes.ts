import { z } from 'zod';
import { readCall } from '../calls/call-store.ts';
import { contactFor } from '../contacts/contact-lookup.ts';
import { readContact } from '../contacts/contact-store.ts';
import type { Database, Tx } from '../database/database.ts';
import { type ApiContext, found, idFrom, refusedAnswer } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import type { HttpServer } from '../http/server.ts';
import { survivorOf } from '../identity/identity-store.ts';
import { listLines, readLine } from '../lines/line-store.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId, ContactId, LineId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { consentsOf } from './consent-store.ts';
import type { OptOutDone } from './opt-out-commands.ts';
import type { OptOutDesk } from './opt-out-desk.ts';

const reason = oneLine(200).describe('What the person said; kept sealed, for their file.');
const by = oneLine(100).optional().describe('Who wrote it down, such as an agent; kept sealed.');
const lineId = z.string().optional().describe('Confirms from this line; else from the latest one.');

const heardBody = z.strictObject({ reason, by });
const contactBody = z.strictObject({ reason, by, lineId });
const numberBody = z.strictObject({
  to: z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.'),
  ...contactBody.shape,
});
const byId = z.object({ id: z.string() });

const optOutSchema = z.object({
  contactId: z.string().describe('Where it stands: the contact that goes on, if they were merged.'),
  optedOutAt: z.string().describe('RFC 3339, UTC. No dial that commits later can pass.'),
  already: z.boolean().describe('An earlier stop stands; nothing was changed.'),
  endedCalls: z.array(z.string()).describe('Calls that were cancelled or told to hang up.'),
});
const tags = ['opt-outs'];

type OptOutContext = ApiContext & { stops: OptOutDesk };

/** A stop that was said to somebody: the button of an agent, a letter, another system. */
export function registerOptOutRoutes(app: HttpServer, context: OptOutContext): void {
  registerButtons(app, context);
  registerByNumber(app, context);
}

function registerButtons(app: HttpServer, context: OptOutContext): void {
  const { database, stops } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: optOutSchema };

  app.post(
    '/v1/calls/:id/opt-out',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The customer said stop in this call: never again, and this call ends',
        params: byId,
        body: heardBody,
        response,
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const call = await readCall(database, idFrom('call', request.params.id));
      const { plan } = found(call?.plan.accountId === accountId ? call : null, 'call');
      const { id: callId, contactId } = plan;
      const word = { lineId: plan.lineId, way: 'agent', callId, ...noteOf(request.body) } as const;
      return answer(await stops.stop(contactId, { ...word, actor: `api:${keyId}` }));
    },
  );

  app.post(
    '/v1/contacts/:id/opt-out',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The customer said stop: never call or ask again',
        params: byId,
        body: contactBody,
        response,
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const id = idFrom('contact', request.params.id);
      const contact = found(await readContact(database, accountId, id), 'contact');
      const from = await lineToConfirm(database, accountId, contact.id, request.body.lineId);
      const word = { lineId: from, way: 'agent', ...noteOf(request.body) } as const;
      return answer(await stops.stop(id, { ...word, actor: `api:${keyId}` }));
    },
  );
}

function registerByNumber(app: HttpServer, context: OptOutContext): void {
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/opt-outs',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Somebody said stop elsewhere; known here or not, they are never called',
        body: numberBody,
        response: { 200: optOutSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { body } = request;
      await idempotent(request, reply, context, async (tx) => {
        const contactId = await contactFor(tx, context, accountId, { to: body.to });
        if (isRefused(contactId)) return refusedAnswer(contactId);
        const from = await lineToConfirm(tx, accountId, contactId, body.lineId);
        const word = { lineId: from, way: 'api', ...noteOf(body), actor: `api:${keyId}` } as const;
        const done = await context.stops.stopIn(tx, contactId, word);
        return { status: 200, body: answer(done) };
      });
    },
  );
}

/** The line that was named, else the one the person knows best, else the account's first. */
async function lineToConfirm(
  db: Database | Tx,
  accountId: AccountId,
  contactId: ContactId,
  named: string | undefined,
): Promise<LineId | null> {
  if (named !== undefined) {
    return found(await readLine(db, accountId, idFrom('line', named)), 'line').id;
  }
  const [consent] = await consentsOf(db, [await survivorOf(db, contactId)]);
  if (consent !== undefined) return consent.lineId;
  return (await listLines(db, accountId))[0]?.id ?? null;
}

function noteOf(body: { reason: string; by?: string | undefined }) {
  return { note: { reason: body.reason, by: body.by ?? null } };
}

function answer(done: OptOutDone): z.infer<typeof optOutSchema> {
  const { contactId, optedOutAt, already, endedCalls } = done;
  return { contactId, optedOutAt: isoTime(optedOutAt), already, endedCalls };
}
