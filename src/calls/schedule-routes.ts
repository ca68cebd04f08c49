import { z } from 'zod';
import { findContact } from '../contacts/contact-lookup.ts';
import { readContact } from '../contacts/contact-store.ts';
import { unknownContact, type Contact } from '../contacts/contact.ts';
import { readRecipient } from '../contacts/recipient.ts';
import { readEndpoint } from '../endpoints/endpoint-store.ts';
import {
  type ApiContext,
  found,
  idFrom,
  lineFor,
  refusedAnswer,
  refusedInput,
} from '../http/api-context.ts';
import { callSchema } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { withContact } from '../ledger/contact-unit.ts';
import { listLines } from '../lines/line-store.ts';
import { isId, type AccountId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { gatherGateFacts } from './call-gate.ts';
import { callingTimes } from './call-plan-commands.ts';
import { readCall } from './call-store.ts';
import { callView } from './call-views.ts';
import { rescheduleCall } from './reschedule-commands.ts';
import { callingTimesView, scheduledCallView, type CallingTimesView } from './schedule-views.ts';
import {
  ONE_TIME,
  onBlockedField,
  saysOneTime,
  scheduledAtField,
  windowField,
  windowOf,
} from './time-wish.ts';
import { withPaceWaits } from './wait-lookup.ts';
import { waitingCalls } from './waiting-store.ts';

const instant = z.iso.datetime({ offset: true });
const byId = z.object({ id: z.string() });

/** Calls that wait: what comes when, moving it, and when a customer may be called. */
export function registerScheduleRoutes(app: HttpServer, context: ApiContext): void {
  registerList(app, context);
  registerReschedule(app, context);
  registerCallingTimes(app, context);
}

/** The farthest time that a filter can mean. */
const FAR = Date.UTC(9999, 0);

const scheduledSchema = callSchema.extend({
  lookAt: z.string().describe('When it is looked at next: its time, or soon where it waits.'),
});

function registerList(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/scheduled-calls',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'Calls that wait to be dialled, the next one first',
        querystring: z.object({
          ...pageQuery,
          lineId: z.string().optional(),
          from: instant.optional().describe('Looked at from then on; default: all.'),
          until: instant.optional().describe('Looked at before then.'),
        }),
        response: { 200: pageSchema(scheduledSchema) },
      },
    },
    async (request) => {
      const { limit, lineId, from, until } = request.query;
      const { accountId } = accountOf(request);
      const lines =
        lineId === undefined
          ? await listLines(database, accountId)
          : [await lineFor(database, accountId, lineId)];
      const calls = await waitingCalls(database, {
        lineIds: lines.map(({ id }) => id),
        from: from === undefined ? 0 : Date.parse(from),
        until: until === undefined ? FAR : Date.parse(until),
        after: placeAfter(request.query.after),
        limit: limit + 1,
      });
      const page = calls.slice(0, limit);
      const shown = page.map((call) => ({ state: call.state, view: scheduledCallView(call) }));
      const items = await withPaceWaits(database, accountId, shown, clock.now());
      const last = items.at(-1);
      const next = calls.length > limit && last !== undefined ? cursorOf(last) : null;
      return { items, next };
    },
  );
}

/** The list goes by time, so its cursor holds the time beside the id. */
function cursorOf({ lookAt, id }: { lookAt: string; id: string }): string {
  return Buffer.from(`${Date.parse(lookAt)}/${id}`).toString('base64url');
}

function placeAfter(cursor: string | undefined): { lookAt: number; id: string } | null {
  if (cursor === undefined) return null;
  const [ms = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('/');
  if (/^\d{1,15}$/.test(ms) && isId('call', id)) return { lookAt: Number(ms), id };
  throw new HttpError('invalid_request', 'The cursor in "after" is not one of ours.', {
    fields: [{ field: 'after', rule: 'cursor', fix: 'Send the "next" of a page unchanged.' }],
  });
}

const rescheduleBody = z
  .strictObject({
    scheduledAt: scheduledAtField,
    window: windowField,
    onBlocked: onBlockedField,
  })
  .refine(saysOneTime, ONE_TIME)
  .refine(({ scheduledAt, window }) => scheduledAt !== undefined || window !== undefined, {
    message: 'is required, or a window',
    path: ['scheduledAt'],
  });

function registerReschedule(app: HttpServer, context: ApiContext): void {
  app.post(
    '/v1/calls/:id/reschedule',
    {
      onRequest: context.authenticator.authenticate,
      config: { idempotent: true },
      schema: {
        tags: ['calls'],
        summary: 'Move a call that waits to another time, or into a window',
        params: byId,
        body: rescheduleBody,
        response: { 200: callSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const id = idFrom('call', request.params.id);
      const { scheduledAt, window, onBlocked } = request.body;
      await idempotent(request, reply, context, async (tx) => {
        const call = await readCall(tx, id);
        const { plan } = found(call?.plan.accountId === accountId ? call : null, 'call');
        const moved = await withContact(context, tx, plan.contactId, (unit) =>
          rescheduleCall(unit, context, id, {
            scheduledAt: scheduledAt === undefined ? null : Date.parse(scheduledAt),
            window: window === undefined ? undefined : windowOf(window, unit.now),
            onBlocked,
            actor: `api:${keyId}`,
          }),
        );
        return isRefused(moved) ? refusedAnswer(moved) : { status: 200, body: callView(moved) };
      });
    },
  );
}

const timesQuestion = {
  purpose: z.string().min(1).max(500),
  lineId: z.string().optional(),
  endpointId: z.string().optional().describe('Whose room counts; default: that of the line.'),
  campaignId: z.string().max(100).optional().describe('Whose pace counts too.'),
  callId: z.string().optional().describe('To move this call, which is then not in the way.'),
  from: instant.optional().describe('Default: now.'),
  until: instant.optional().describe('Default: 24 hours after from.'),
  limit: z.coerce.number().int().min(1).max(60).default(30).describe('So many minutes.'),
};
const timesSchema = z.object({
  contactId: z.string().nullable(),
  lineId: z.string(),
  from: z.string(),
  until: z.string(),
  best: z.string().nullable().describe('What a call with this window would get.'),
  items: z.array(
    z.object({
      at: z.string(),
      booked: z.number().describe('Calls that wait for this minute already.'),
      capacity: z.number().nullable().describe('Calls that it takes; null: without end.'),
    }),
  ),
  refusal: z
    .object({
      code: z.string(),
      rule: z.string().nullable(),
      message: z.string(),
      fix: z.string(),
      allowedAt: z.string().nullable(),
      latestAt: z.string().nullable(),
      alternatives: z.array(z.string()).describe('The nearest times that are allowed.'),
    })
    .nullable()
    .describe('Why there is none.'),
}) satisfies z.ZodType<CallingTimesView>;

type TimesQuestion = z.infer<z.ZodObject<typeof timesQuestion>>;

const DAY_MS = 24 * 60 * 60_000;

function registerCallingTimes(app: HttpServer, context: ApiContext): void {
  const { database, clock, ids } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/contacts/:id/calling-times',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'The next minutes at which a contact may be called',
        params: byId,
        querystring: z.object(timesQuestion),
        response: { 200: timesSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('contact', request.params.id);
      const contact = found(await readContact(database, accountId, id), 'contact');
      return timesOf(accountId, contact, request.query);
    },
  );

  app.post(
    '/v1/calling-times',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'The same by number, which then stands in no address and no log',
        body: z.strictObject({
          to: z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.'),
          ...timesQuestion,
        }),
        response: { 200: timesSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { to } = request.body;
      const id = await findContact(database, accountId, to);
      if (isRefused(id)) throw refusedInput(id, 'to');
      const known = id === null ? null : await readContact(database, accountId, id);
      return timesOf(accountId, known ?? stranger(accountId, to), request.body, known === null);
    },
  );

  async function timesOf(
    accountId: AccountId,
    contact: Contact,
    asked: TimesQuestion,
    isStranger = false,
  ): Promise<CallingTimesView> {
    const line = await lineFor(database, accountId, asked.lineId);
    const named = asked.endpointId === undefined ? null : idFrom('endpoint', asked.endpointId);
    const endpointId = named ?? line.defaultEndpointId;
    const endpoint =
      endpointId === null ? null : await readEndpoint(database, accountId, endpointId);
    if (named !== null) found(endpoint, 'endpoint');
    const callId = asked.callId === undefined ? null : idFrom('call', asked.callId);
    if (callId !== null) {
      const call = await readCall(database, callId);
      found(call?.plan.contactId === contact.id ? call : null, 'call');
    }
    const now = clock.now();
    const from = asked.from === undefined ? now : Math.max(now, Date.parse(asked.from));
    const until = asked.until === undefined ? from + DAY_MS : Date.parse(asked.until);
    const facts = await gatherGateFacts(database, context, [contact], [line.id]);
    const question = {
      contact,
      line,
      endpoint,
      purpose: asked.purpose,
      callId,
      campaignId: asked.campaignId ?? null,
      endpointKnown: endpoint !== null,
      now,
    };
    const window = { from, until };
    const wish = { window, max: asked.limit };
    const times = await callingTimes(database, context, facts, question, wish);
    const contactId = isStranger ? null : contact.id;
    return callingTimesView({ contactId, lineId: line.id }, window, times);
  }

  /** Somebody we have no row for: the gate still answers, from the number alone. */
  function stranger(accountId: AccountId, to: string): Contact {
    const recipient = readRecipient(to);
    const { e164 = null, userId = null, country = null } = isRefused(recipient) ? {} : recipient;
    const id = ids.next('contact');
    return unknownContact({ id, accountId, e164, userId, country, createdAt: clock.now() });
  }
}
