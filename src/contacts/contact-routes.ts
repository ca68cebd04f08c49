import { z } from 'zod';
import { consentIn, decideCall, gatherGateFacts } from '../calls/call-gate.ts';
import { consentsOf } from '../consent/consent-store.ts';
import { permissionOf } from '../consent/consent.ts';
import { consentView } from '../consent/consent-views.ts';
import { type ApiContext, found, idFrom, lineFor, refusedInput } from '../http/api-context.ts';
import { contactSchema, eligibilitySchema, timelineSchema } from '../http/api-schemas.ts';
import type { ContactView, EligibilityView } from '../http/api-types.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { entriesOfContact } from '../ledger/ledger-store.ts';
import { timelineEntry } from '../ledger/ledger-views.ts';
import { isoTime } from '../platform/clock.ts';
import { isRefused } from '../platform/refusal.ts';
import { readEndpoint } from '../endpoints/endpoint-store.ts';
import type { AccountId } from '../platform/ids.ts';
import { doNotCallIds } from './do-not-call-store.ts';
import { unknownContact, type Contact } from './contact.ts';
import { findContact, readRecipient } from './contact-lookup.ts';
import { listContacts, readContact } from './contact-store.ts';

const byId = z.object({ id: z.string() });
const SEQUENCE_CURSOR = z.coerce.number().int().min(0).default(0);

/** Contacts with their consent, their history, and the question "may I call?". */
export function registerContactRoutes(app: HttpServer, context: ApiContext): void {
  registerContacts(app, context);
  registerEligibility(app, context);
}

function registerContacts(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/contacts',
    {
      onRequest,
      schema: {
        tags: ['contacts'],
        summary: 'Contacts with their consent, newest last',
        querystring: z.object({ ...pageQuery, number: z.string().min(1).max(100).optional() }),
        response: { 200: pageSchema(contactSchema) },
      },
    },
    async (request) => {
      const { limit, number } = request.query;
      const { accountId } = accountOf(request);
      if (number !== undefined) {
        const id = await findContact(database, accountId, number);
        if (isRefused(id)) throw refusedInput(id, 'number');
        const contact = id === null ? null : await readContact(database, accountId, id);
        const views = await viewsOf(contact === null ? [] : [contact]);
        return { items: views, next: null };
      }
      const contacts = await listContacts(database, accountId, afterIdOf(request.query), limit + 1);
      return pageOf(await viewsOf(contacts), limit, (view) => view);
    },
  );

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
      const contact = await ownContact(accountOf(request).accountId, request.params.id);
      return found((await viewsOf([contact]))[0], 'contact');
    },
  );

  app.get(
    '/v1/contacts/:id/timeline',
    {
      onRequest,
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
      const contact = await ownContact(accountOf(request).accountId, request.params.id);
      const entries = await entriesOfContact(database, contact.id, after, limit + 1);
      const items = entries.slice(0, limit).map(timelineEntry);
      const next = entries.length > limit ? String(items.at(-1)?.sequence ?? '') : null;
      return { items, next };
    },
  );

  async function ownContact(accountId: AccountId, text: string): Promise<Contact> {
    const contact = await readContact(database, accountId, idFrom('contact', text));
    return found(contact, 'contact');
  }

  async function viewsOf(contacts: readonly Contact[]): Promise<ContactView[]> {
    const now = context.clock.now();
    const consents = await consentsOf(
      database,
      contacts.map(({ id }) => id),
    );
    const listed = await doNotCallIds(database, context.doNotCallKey, contacts);
    return contacts.map((contact) => ({
      id: contact.id,
      number: contact.e164,
      userId: contact.userId,
      name: contact.name,
      country: contact.country,
      doNotCall: contact.optedOutAt !== null || listed.has(contact.id),
      optedOutAt: contact.optedOutAt === null ? null : isoTime(contact.optedOutAt),
      consents: consents
        .filter(({ contactId }) => contactId === contact.id)
        .map(({ lineId, state }) => consentView(lineId, state, now)),
      createdAt: isoTime(contact.createdAt),
    }));
  }
}

function registerEligibility(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/eligibility',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'May I call this customer now? Every rule answers.',
        querystring: z.object({
          to: z.string().min(1).max(100),
          purpose: z.string().min(1).max(500),
          lineId: z.string().optional(),
        }),
        response: { 200: eligibilitySchema },
      },
    },
    async (request) => eligibility(accountOf(request).accountId, request.query),
  );

  async function eligibility(
    accountId: AccountId,
    query: { to: string; purpose: string; lineId?: string | undefined },
  ): Promise<EligibilityView> {
    const line = await lineFor(database, accountId, query.lineId);
    const id = await findContact(database, accountId, query.to);
    if (isRefused(id)) throw refusedInput(id, 'to');
    const known = id === null ? null : await readContact(database, accountId, id);
    const now = context.clock.now();
    const contact = known ?? stranger(accountId, query.to, now);
    const facts = await gatherGateFacts(database, context, [contact], [line.id]);
    const endpoint =
      line.defaultEndpointId === null
        ? null
        : await readEndpoint(database, accountId, line.defaultEndpointId);
    const { purpose } = query;
    const endpointKnown = endpoint !== null;
    const question = { contact, line, purpose, callId: null, endpointKnown, now };
    const decision = decideCall(context, facts, question);
    const permission = permissionOf(consentIn(facts, contact.id, line.id));
    return {
      allowed: decision.allowed,
      policyPack: decision.packName,
      contactId: known?.id ?? null,
      permissionId: permission?.permissionId ?? null,
      rules: decision.verdicts.map(({ rule, verdict, code, message, fix, allowedAt, source }) => ({
        rule,
        verdict,
        code,
        message,
        fix,
        allowedAt: allowedAt === null ? null : isoTime(allowedAt),
        source,
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
