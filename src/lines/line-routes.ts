import { z } from 'zod';
import { parseNumber } from '../contacts/phone-number.ts';
import { readEndpoint } from '../endpoints/endpoint-store.ts';
import { type ApiContext, found, idFrom, refusedInput } from '../http/api-context.ts';
import { credential, lineSchema, oneLine } from '../http/api-schemas.ts';
import type { LineView } from '../http/api-types.ts';
import { accountOf } from '../http/auth.ts';
import { pageSchema } from '../http/pagination.ts';
import { RUN_FAILURES } from '../failure-codes.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { KEY_EXCHANGES } from '../media/media.ts';
import { isoTime } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { isRefused } from '../platform/refusal.ts';
import { planSync } from '../templates/sync-store.ts';
import { addBuiltInTemplates } from '../templates/template-store.ts';
import {
  changeLine,
  listLines,
  lockLine,
  readLine,
  saveLine,
  type StoredLine,
} from './line-store.ts';

const optOutKey = z
  .string()
  .regex(/^[0-9*#]$/, 'is one key: 0 to 9, * or #')
  .nullable()
  .describe('The key that ends calls for good when pressed in a call; announce it first.');

const lineChange = z.strictObject({
  name: oneLine(100).optional(),
  defaultEndpointId: z
    .string()
    .nullable()
    .optional()
    .describe('Who answers where no rule says so.'),
  optOutKey: optOutKey.optional(),
});

const lineBody = z.strictObject({
  name: oneLine(100).describe('The branded name customers see.'),
  displayNumber: z.string().min(1).max(100).describe('The business number, E.164.'),
  phoneNumberId: z
    .string()
    .regex(/^\d{5,25}$/, 'is an id of 5 to 25 digits')
    .describe("Meta's phone number id."),
  wabaId: z
    .string()
    .regex(/^\d{5,25}$/, 'is an id of 5 to 25 digits')
    .describe('WhatsApp Business Account id.'),
  graphBaseUrl: z
    .url({ protocol: /^https?$/ })
    .max(400)
    .refine((text) => isBareUrl(text), 'has no user name, query or fragment')
    .default('https://graph.facebook.com'),
  graphVersion: z
    .string()
    .regex(/^v\d{1,3}\.\d$/, 'is a version such as v23.0')
    .default('v23.0'),
  accessToken: credential(1_000),
  appSecret: credential(200),
  verifyToken: credential(200),
  policyPack: z
    .string()
    .max(100)
    .optional()
    .describe(
      'Of a new line; strict-2026-01 unless given. Later: POST /v1/lines/{id}/policy-pack.',
    ),
  defaultEndpointId: z.string().optional(),
  optOutKey: optOutKey.default(null),
  keyExchange: z
    .enum(KEY_EXCHANGES)
    .optional()
    .describe(
      'dtls unless given. To change it here and at Meta: POST /v1/lines/{id}/key-exchange.',
    ),
});

const DEFAULT_PACK = 'strict-2026-01';

/** Lines: adding one makes it live or simulated by its Graph URL alone. */
export function registerLineRoutes(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['lines'];

  app.get(
    '/v1/lines',
    {
      onRequest,
      schema: { tags, summary: 'All lines', response: { 200: pageSchema(lineSchema) } },
    },
    async (request) => {
      const lines = await listLines(database, accountOf(request).accountId);
      return { items: lines.map(lineView), next: null };
    },
  );

  app.post(
    '/v1/lines',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Add a line, or replace the settings of the one with this phone number id',
        body: lineBody,
        response: { 201: lineSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const line = await storeLine(context, accountId, request.body);
      return reply.code(201).send(lineView(line));
    },
  );
  registerChange(app, context);
}

function registerChange(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  app.patch(
    '/v1/lines/:id',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['lines'],
        summary: 'Change what needs no secret of Meta; what is left out stays',
        params: z.object({ id: z.string() }),
        body: lineChange,
        response: { 200: lineSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('line', request.params.id);
      const { defaultEndpointId: wanted, ...rest } = request.body;
      return database.transaction(async (tx) => {
        const line = found(await lockLine(tx, accountId, id), 'line');
        let { defaultEndpointId } = line;
        if (typeof wanted === 'string') {
          defaultEndpointId = idFrom('endpoint', wanted);
          found(await readEndpoint(tx, accountId, defaultEndpointId), 'endpoint');
        } else if (wanted === null) {
          defaultEndpointId = null;
        }
        const { name = line.name, optOutKey: key = line.optOutKey } = rest;
        const changed = { ...line, name, optOutKey: key, defaultEndpointId };
        return lineView(found(await changeLine(tx, changed), 'line'));
      });
    },
  );
}

async function storeLine(
  context: ApiContext,
  accountId: StoredLine['accountId'],
  body: z.infer<typeof lineBody>,
): Promise<StoredLine> {
  const number = parseNumber(body.displayNumber);
  if (isRefused(number)) throw refusedInput(number, 'displayNumber');
  if (number.country === null) throw unknownCountry();
  // A pack that cannot be read must not be put on a line: without rules there is no call.
  const { policyPack = DEFAULT_PACK } = body;
  refuseUnknownPack(context, policyPack);
  const endpointId =
    body.defaultEndpointId === undefined ? null : idFrom('endpoint', body.defaultEndpointId);
  const { database, sealer, ids, clock } = context;
  const { phoneNumberId, wabaId, graphBaseUrl, graphVersion, accessToken } = body;
  const { appSecret, verifyToken, name } = body;
  const { e164: displayNumber, country } = number;
  return database.transaction(async (tx) => {
    if (endpointId !== null) found(await readEndpoint(tx, accountId, endpointId), 'endpoint');
    const id = await saveLine(tx, sealer, {
      id: ids.next('line'),
      accountId,
      name,
      displayNumber,
      country,
      policyPack,
      defaultEndpointId: endpointId,
      optOutKey: body.optOutKey,
      ...(body.keyExchange === undefined ? {} : { keyExchange: body.keyExchange }),
      access: {
        graphBaseUrl: graphBaseUrl.replace(/\/+$/, ''),
        graphVersion,
        phoneNumberId,
        wabaId,
        accessToken,
      },
      appSecret,
      verifyToken,
    });
    if (id === null) {
      throw new HttpError('not_found', 'This phone number id belongs to another account.');
    }
    const now = clock.now();
    await addBuiltInTemplates(tx, ids, { accountId, wabaId }, { approved: false, now });
    // Meta may have templates already, of before or of somebody else's making.
    await planSync(tx, { accountId, wabaId }, now);
    const line = found(await readLine(tx, accountId, id), 'line');
    refuseSwitch(line, body.policyPack);
    return line;
  });
}

export function lineView(line: StoredLine): LineView {
  return {
    id: line.id,
    name: line.name,
    displayNumber: line.displayNumber,
    country: line.country,
    phoneNumberId: line.sealed.phoneNumberId,
    wabaId: line.sealed.wabaId,
    graphBaseUrl: line.sealed.graphBaseUrl,
    graphVersion: line.sealed.graphVersion,
    policyPack: line.policyPack,
    enabled: line.enabled,
    restrictedUntil: line.restrictedUntil === null ? null : isoTime(line.restrictedUntil),
    defaultEndpointId: line.defaultEndpointId,
    optOutKey: line.optOutKey,
    keyExchange: line.keyExchange,
  };
}

/** Parsed once more, because a schema sees only the text. */
function isBareUrl(text: string): boolean {
  // What is no URL at all has been told so by the check before.
  if (!URL.canParse(text)) return true;
  const { username, password, search, hash } = new URL(text);
  return `${username}${password}${search}${hash}` === '';
}

/** A line keeps its pack: a switch wants a report first, so that nobody is surprised by it. */
function refuseSwitch(line: StoredLine, wanted: string | undefined): void {
  if (wanted === undefined || wanted === line.policyPack) return;
  const { fix = '', status = 409 } = RUN_FAILURES['policy_report_needed'] ?? {};
  const message = `This line is under ${line.policyPack}.`;
  throw new RefusalError({ code: 'policy_report_needed', message, fix }, status);
}

function refuseUnknownPack(context: ApiContext, name: string): void {
  try {
    context.packs.of(name);
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    throw new HttpError('invalid_request', 'There is no policy pack of this name.', {
      fields: [{ field: 'policyPack', rule: 'names a pack of this release', fix: cause.fix }],
    });
  }
}

function unknownCountry(): HttpError {
  return new HttpError('invalid_request', 'The country of the business number cannot be told.', {
    fields: [
      {
        field: 'displayNumber',
        rule: 'country code of one country',
        fix: 'Give the number as WhatsApp Manager shows it, with the plus.',
      },
    ],
  });
}
