import { z } from 'zod';
import { type ApiContext, found } from '../http/api-context.ts';
import { credential, endpointSchema, oneLine, strategySchema } from '../http/api-schemas.ts';
import type { EndpointView } from '../http/api-types.ts';
import { accountOf } from '../http/auth.ts';
import { pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { isRefused } from '../platform/refusal.ts';
import { guardTarget, OPEN_GUARD } from './target-guard.ts';
import { ENDPOINT_MEANWHILE, ENDPOINT_SRTP } from './endpoint.ts';
import {
  listEndpoints,
  readEndpoint,
  saveEndpoint,
  type StoredEndpoint,
} from './endpoint-store.ts';

/** Only SIP: a `tel:` URI would leave VoIP, which Meta forbids on every leg of a call. */
const SIP_USER = String.raw`[A-Za-z0-9_.!~*'()&=+$,;?/-]{1,100}`;
const HOST = String.raw`[A-Za-z0-9.-]{1,200}(:\d{1,5})?`;
const SIP_URI = new RegExp(
  String.raw`^(sips:${SIP_USER}@${HOST}|sip:${SIP_USER}@${HOST}(;transport=(udp|tcp|tls))?)$`,
);

const endpointBody = z.strictObject({
  name: oneLine(100),
  uri: z
    .string()
    .max(400)
    .regex(
      SIP_URI,
      'is sip:user@host[:port][;transport=udp|tcp|tls] or sips:…; PSTN is not allowed',
    )
    .refine((uri) => !isRefused(guardTarget(uri, OPEN_GUARD)), 'is VoIP: PSTN is not allowed'),
  username: credential(100).optional(),
  password: oneLine(200).optional(),
  codecs: z
    .array(z.enum(['opus', 'PCMU', 'PCMA']))
    .min(1)
    .max(3)
    .default(['opus', 'PCMU', 'PCMA'])
    .describe('In order of preference; Opus first saves the transcoding.'),
  strategy: strategySchema.default('on_answer'),
  ringTimeoutMs: z.int().min(2_000).max(120_000).default(30_000),
  srtp: z
    .enum(ENDPOINT_SRTP)
    .default('off')
    .describe('Encrypted audio: `preferred` calls again in plain RTP where the endpoint says 488.'),
  meanwhile: z
    .enum(ENDPOINT_MEANWHILE)
    .default('ringing')
    .describe('What the customer hears after picking up, until the endpoint has answered.'),
});

/** Endpoints: where the business talks. */
export function registerEndpointRoutes(app: HttpServer, context: ApiContext): void {
  const { database, ids, sealer } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['endpoints'];

  app.get(
    '/v1/endpoints',
    {
      onRequest,
      schema: { tags, summary: 'All endpoints', response: { 200: pageSchema(endpointSchema) } },
    },
    async (request) => {
      const endpoints = await listEndpoints(database, accountOf(request).accountId);
      return { items: endpoints.map(endpointView), next: null };
    },
  );

  app.post(
    '/v1/endpoints',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Add an endpoint, or replace the one with this name',
        body: endpointBody,
        response: { 201: endpointSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { username = null, password = null, ...rest } = request.body;
      const stored = await database.transaction(async (tx) => {
        const endpoint = { ...rest, id: ids.next('endpoint'), accountId, username, password };
        const id = await saveEndpoint(tx, sealer, endpoint);
        return found(await readEndpoint(tx, accountId, id), 'endpoint');
      });
      return reply.code(201).send(endpointView(stored));
    },
  );
}

export function endpointView(endpoint: StoredEndpoint): EndpointView {
  const { id, name, uri, codecs, strategy, ringTimeoutMs, srtp, meanwhile } = endpoint;
  return { id, name, uri, codecs: [...codecs], strategy, ringTimeoutMs, srtp, meanwhile };
}
