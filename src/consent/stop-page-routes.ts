import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Contact } from '../contacts/contact.ts';
import { readContact } from '../contacts/contact-store.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import { survivorOf } from '../identity/identity-store.ts';
import { onPerson } from '../identity/person-unit.ts';
import { isoTime } from '../platform/clock.ts';
import { isId } from '../platform/ids.ts';
import { consentsOf } from './consent-store.ts';
import type { OptOutDesk } from './opt-out-desk.ts';
import { languageFor } from './opt-out-words.ts';
import { takeBackPermission } from './revoke-commands.ts';
import { STOP_LINK_DAYS, makeStopLink, readToken, type StopLinkPorts } from './stop-link.ts';
import { shownTo } from './stop-page-lookup.ts';
import { PAGE_STYLE, stopPage } from './stop-page.ts';

export type StopPageContext = ApiContext & StopLinkPorts & { stops: OptOutDesk };

const linkBody = z.strictObject({
  validDays: z.int().min(1).max(365).default(STOP_LINK_DAYS).describe('How long the link works.'),
});
const linkSchema = z.object({
  url: z.string().describe('Names nobody. Whoever has it can stop calls to this person.'),
  expiresAt: z.string().describe('RFC 3339, UTC'),
});

/** Requests a minute from one address: far more than a person needs, far too few to guess. */
const PAGES_PER_MINUTE = 60;
const FORM_BYTES_MAX = 1_024;
/** As everywhere, but the page's own button may be sent, and nothing else is loaded. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The link for a person, and the page behind it. */
export function registerStopPageRoutes(app: HttpServer, context: StopPageContext): void {
  registerLink(app, context);
  app.register(async (scope: HttpServer) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    registerPage(scope, context);
  });
}

function registerLink(app: HttpServer, context: StopPageContext): void {
  const { database, clock } = context;
  app.post(
    '/v1/contacts/:id/self-service-link',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['opt-outs'],
        summary: 'A link with which this person sees who may call, takes it back, or stops all',
        params: z.object({ id: z.string() }),
        body: linkBody.default({ validDays: STOP_LINK_DAYS }),
        response: { 200: linkSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('contact', request.params.id);
      const contact = found(await readContact(database, accountId, id), 'contact');
      const base = `${request.protocol}://${request.host}`;
      const at = { base, now: clock.now(), validDays: request.body.validDays };
      const { url, expiresAt } = makeStopLink(context, { accountId, contactId: contact.id }, at);
      return { url, expiresAt: isoTime(expiresAt) };
    },
  );
}

function registerPage(scope: HttpServer, context: StopPageContext): void {
  const { database, clock, sealer, stops } = context;
  const rateLimit = { max: PAGES_PER_MINUTE, timeWindow: 60_000 };
  const options = {
    config: { rateLimit },
    schema: { hide: true, params: z.object({ token: z.string() }) },
  } as const;

  scope.get('/o/style.css', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(PAGE_STYLE),
  );

  scope.get('/o/:token', options, async (request, reply) => {
    const contact = await personOf(request.params.token);
    if (contact === null) return unknown(request, reply);
    const state = contact.optedOutAt === null ? 'open' : 'stopped';
    const shown = await shownTo(context, contact, clock.now());
    return send(reply, 200, stopPage({ ...shown, state }));
  });

  const wish = z.object({
    wish: z.enum(['stop', 'again', 'take_back']),
    permission: z.string().max(100).default(''),
  });
  const posted = { ...options, schema: { ...options.schema, body: wish } };
  scope.post('/o/:token', posted, async (request, reply) => {
    const { token } = request.params;
    const contact = await personOf(token);
    if (contact === null) return unknown(request, reply);
    await fulfil(contact, request.body);
    // So that a reload shows the page again instead of sending the button again.
    return reply.header('cache-control', 'no-store').redirect(`/o/${token}`, 303);
  });

  async function fulfil({ id }: Contact, asked: z.infer<typeof wish>): Promise<void> {
    if (asked.wish === 'stop') {
      const lineId = (await consentsOf(database, [id]))[0]?.lineId ?? null;
      await stops.stop(id, { lineId, way: 'self_service' });
    } else if (asked.wish === 'again') {
      await stops.liftByPage(id);
    } else if (isId('permission', asked.permission)) {
      const { permission } = asked;
      await onPerson(context, id, (unit) => takeBackPermission(unit, context, permission));
    }
  }

  async function personOf(token: string): Promise<Contact | null> {
    const named = readToken(sealer, token, clock.now());
    if (named === null) return null;
    // The link may be older than the day on which two contacts turned out to be one person.
    const id = await survivorOf(database, named.contactId);
    const contact = await readContact(database, named.accountId, id);
    return contact?.erasedAt === null ? contact : null;
  }
}

/** The same words for a token that never was, is too old, or belongs to somebody who is gone. */
function unknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [preferred = ''] = (request.headers['accept-language'] ?? '').split(/[,;]/, 1);
  const language = languageFor({ asked: preferred.trim(), country: null });
  return send(reply, 404, stopPage({ language, state: 'unknown', from: [], lines: [] }));
}

function send(reply: FastifyReply, status: number, html: string): FastifyReply {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-store' })
    .send(html);
}
