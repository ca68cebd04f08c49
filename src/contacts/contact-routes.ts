import { z } from 'zod';
import { consentIn, decideCall, gatherGateFacts, latestCallTime } from '../calls/call-gate.ts';
import { consentsOf } from '../consent/consent-store.ts';
import { permissionOf } from '../consent/consent.ts';
import { contactsByStatus } from '../consent/consent-list-store.ts';
import { type ApiContext, found, idFrom, lineFor, refusedInput } from '../http/api-context.ts';
import {
  CONSENT_STATUSES,
  contactSchema,
  eligibilitySchema,
  timelineSchema,
} from '../http/api-schemas.ts';
import type { ContactView, EligibilityView } from '../http/api-types.ts';
import { REGISTER_USER_ID } from '../do-not-call/do-not-call.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { withTimes } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { entriesOfContact } from '../ledger/ledger-store.ts';
import { timelineEntry } from '../ledger/ledger-views.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { MetaAnswerDesk } from '../meta-answers/meta-answer-desk.ts';
import { isRefused } from '../platform/refusal.ts';
import { readEndpoint } from '../endpoints/endpoint-store.ts';
import type { AccountId } from '../platform/ids.ts';
import { doNotCallIds } from './do-not-call-store.ts';
import { unknownContact, type Contact } from './contact.ts';
import { registerContactChanges } from './contact-change-routes.ts';
import { findContact } from './contact-lookup.ts';
import { listContacts, readContact, readContacts } from './contact-store.ts';
import { contactView } from './contact-views.ts';
import { readRecipient } from './recipient.ts';

/** Eligibility asks Meta where the pack wants its answer, as the dial does. */
type ContactContext = ApiContext & { metaAnswers: Pick<MetaAnswerDesk, 'freshen'> };

const byId = z.object({ id: z.string() });
const SEQUENCE_CURSOR = z.coerce.number().int().min(0).default(0);

/** Contacts with their consent, their history, and the question "may I call?". */
export function registerContactRoutes(app: HttpServer, context: ContactContext): void {
  registerContacts(app, context);
  registerHistory(app, context);
  registerEligibility(app, context);
}

const listQuery = z.object({
  ...pageQuery,
  number: z.string().min(1).max(100).optional().describe('Number or user id of one contact.'),
  status: z
    .enum(CONSENT_STATUSES)
    .optional()
    .describe('Of the permission, on lineId or on any line.'),
  lineId: z.string().optional().describe('Only with status.'),
});

const eligibilityQuestion = {
  to: z.string().min(1).max(100),
  purpose: z.string().min(1).max(500),
  lineId: z.string().optional(),
  at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Ask about a later time, such as that of a scheduled call. Default: now.'),
};

type Views = (contacts: readonly Contact[]) => Promise<ContactView[]>;

function registerContacts(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const viewsOf = makeViews(context);

  app.get(
    '/v1/contacts',
    {
      onRequest,
      schema: {
        tags: ['contacts'],
        summary: 'Contacts with their consent, newest first',
        querystring: listQuery,
        response: { 200: pageSchema(contactSchema) },
      },
    },
    async (request) => {
      const { limit, number } = request.query;
      const { accountId } = accountOf(request);
      if (number !== undefined) return byNumber(accountId, number);
      const contacts = await listed(accountId, request.query);
      const { items, next } = pageOf(await viewsOf(contacts), limit, (view) => view);
      // The account's own chain is nobody who could be called.
      return { items: items.filter(({ userId }) => userId !== REGISTER_USER_ID), next };
    },
  );

  app.post(
    '/v1/contacts/search',
    {
      onRequest,
      schema: {
        tags: ['contacts'],
        summary: 'The contact behind a number, which then stands in no address and no log',
        body: z.strictObject({
          number: z.string().min(1).max(100).describe('Number or user id of one contact.'),
        }),
        response: { 200: pageSchema(contactSchema) },
      },
    },
    async (request) => byNumber(accountOf(request).accountId, request.body.number),
  );

  async function byNumber(accountId: AccountId, number: string) {
    const id = await findContact(database, accountId, number);
    if (isRefused(id)) throw refusedInput(id, 'number');
    const contact = id === null ? null : await readContact(database, accountId, id);
    return { items: await viewsOf(contact === null ? [] : [contact]), next: null };
  }

  app.get(
    '/v1/contacts/:id',
    {
      onRequest,
      schema: {
        tags: ['contacts'],
        summary: 'One contact with its consent on every line',
        params: byId,
        response: { 200: contactSchema },
      },
    },
    async (request) => {
      const contact = await ownContact(context, accountOf(request).accountId, request.params.id);
      return found((await viewsOf([contact]))[0], 'contact');
    },
  );

  /** One more than the page holds, which only tells that there is more. */
  async function listed(
    accountId: AccountId,
    query: z.infer<typeof listQuery>,
  ): Promise<Contact[]> {
    const { status, lineId } = query;
    const after = afterIdOf(query);
    const limit = query.limit + 1;
    if (status === undefined) return listContacts(database, accountId, after, limit);
    const line = lineId === undefined ? null : idFrom('line', lineId);
    const filter = { status, lineId: line, after, now: context.clock.now(), limit };
    return readContacts(database, await contactsByStatus(database, accountId, filter));
  }

  registerContactChanges(app, context, viewsOf);
}

/** The same under two names: what happened, and the whole record of it. */
function registerHistory(app: HttpServer, context: ApiContext): void {
  for (const name of ['history', 'timeline']) {
    app.get(
      `/v1/contacts/:id/${name}`,
      {
        onRequest: context.authenticator.authenticate,
        schema: {
          tags: ['contacts'],
          summary: 'All that happened with one contact, from the ledger',
          params: byId,
          querystring: z.object({
            limit: z.coerce.number().int().min(1).max(500).default(100),
            after: SEQUENCE_CURSOR.describe('The last sequence seen.'),
          }),
          response: { 200: pageSchema(timelineSchema) },
        },
      },
      async (request) => {
        const { limit, after } = request.query;
        const { accountId } = accountOf(request);
        const contact = await ownContact(context, accountId, request.params.id);
        const entries = await entriesOfContact(context.database, contact.id, after, limit + 1);
        const items = entries.slice(0, limit).map(timelineEntry);
        const next = entries.length > limit ? String(items.at(-1)?.sequence ?? '') : null;
        return { items, next };
      },
    );
  }
}

async function ownContact(
  { database }: ApiContext,
  accountId: AccountId,
  text: string,
): Promise<Contact> {
  return found(await readContact(database, accountId, idFrom('contact', text)), 'contact');
}

function makeViews({ database, clock, doNotCallKey }: ApiContext): Views {
  return async (contacts) => {
    const now = clock.now();
    const ids = contacts.map(({ id }) => id);
    const consents = Map.groupBy(await consentsOf(database, ids), ({ contactId }) => contactId);
    const listed = await doNotCallIds(database, doNotCallKey, contacts);
    return contacts.map((contact) =>
      contactView(contact, consents.get(contact.id) ?? [], { listed: listed.has(contact.id), now }),
    );
  };
}

function registerEligibility(app: HttpServer, context: ContactContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/eligibility',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'May I call this customer now, or at a later time? Every rule answers.',
        querystring: z.object(eligibilityQuestion),
        response: { 200: eligibilitySchema },
      },
    },
    async (request) => eligibility(accountOf(request).accountId, request.query),
  );

  app.post(
    '/v1/eligibility',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'The same question in a body, so that the number stands in no address and no log',
        body: z.strictObject(eligibilityQuestion),
        response: { 200: eligibilitySchema },
      },
    },
    async (request) => eligibility(accountOf(request).accountId, request.body),
  );

  async function eligibility(
    accountId: AccountId,
    query: { to: string; purpose: string; lineId?: string | undefined; at?: string | undefined },
  ): Promise<EligibilityView> {
    const line = await lineFor(database, accountId, query.lineId);
    const id = await findContact(database, accountId, query.to);
    if (isRefused(id)) throw refusedInput(id, 'to');
    const known = id === null ? null : await readContact(database, accountId, id);
    const { liveAnswer } = context.packs.of(line.policyPack);
    if (known !== null && liveAnswer !== null && query.at === undefined) {
      await context.metaAnswers.freshen(known, line, liveAnswer.maxAgeMs);
    }
    const now = context.clock.now();
    const contact = known ?? stranger(accountId, query.to, now);
    const facts = await gatherGateFacts(database, context, [contact], [line.id]);
    const endpoint =
      line.defaultEndpointId === null
        ? null
        : await readEndpoint(database, accountId, line.defaultEndpointId);
    const { purpose } = query;
    const endpointKnown = endpoint !== null;
    // Nobody calls in the past, so an earlier time is taken for now.
    const at = query.at === undefined ? now : Math.max(now, Date.parse(query.at));
    const question = { contact, line, purpose, callId: null, endpointKnown, now: at };
    const decision = decideCall(context, facts, question);
    const latestAt = latestCallTime(context, facts, { ...question, now });
    const permission = permissionOf(consentIn(facts, contact.id, line.id));
    return {
      allowed: decision.allowed,
      at: isoTime(at),
      allowedAt: isoTimeOrNull(decision.allowed ? at : (decision.refusal?.allowedAt ?? null)),
      latestAt: isoTimeOrNull(latestAt),
      policyPack: decision.packName,
      layers: decision.layers,
      contactId: known?.id ?? null,
      permissionId: permission?.permissionId ?? null,
      rules: decision.verdicts.map(({ allowedAt, evidence, ...verdict }) => ({
        ...verdict,
        allowedAt: isoTimeOrNull(allowedAt),
        evidence: withTimes(evidence),
      })),
    };
  }

  /** Somebody we have no row for: the gate still answers, from the number alone. */
  function stranger(accountId: AccountId, to: string, now: number): Contact {
    const recipient = readRecipient(to);
    const { e164 = null, userId = null, country = null } = isRefused(recipient) ? {} : recipient;
    const id = context.ids.next('contact');
    return unknownContact({ id, accountId, e164, userId, country, createdAt: now });
  }
}
