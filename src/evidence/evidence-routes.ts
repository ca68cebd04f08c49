import { Readable } from 'node:stream';
import { z } from 'zod';
import type { CheckpointSigner } from '../checkpoints/checkpoints.ts';
import { readContact } from '../contacts/contact-store.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import {
  callSchema,
  cdrSchema,
  contactSchema,
  permissionSchema,
  requestSchema,
  timelineSchema,
} from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { inChunks, jsonObjectText } from '../http/json-stream.ts';
import type { HttpServer } from '../http/server.ts';
import { chainedEntrySchema, chainHeadSchema, DOWNLOAD_MS } from '../ledger/ledger-routes.ts';
import { EVIDENCE_FORMAT, gatherEvidence } from './evidence.ts';

const textOrNull = z.string().nullable();
const instantOrNull = textOrNull.describe('RFC 3339, UTC');
const sequences = z.array(z.number()).describe('Sequences of the ledger entries about it.');
const sequenceOrNull = z.number().nullable();

/** For the OpenAPI document; the answer itself is a stream and passes by it. */
const evidenceSchema = z.object({
  format: z.literal(EVIDENCE_FORMAT),
  generatedAt: z.string(),
  accountId: z.string(),
  contact: contactSchema.extend({ handles: z.array(z.string()) }),
  lines: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      displayNumber: z.string(),
      country: z.string(),
      policyPack: z.string(),
    }),
  ),
  policyPacks: z.array(z.string()),
  requests: z.array(
    requestSchema.extend({
      promisedAt: instantOrNull,
      policyPack: z.string(),
      messageId: textOrNull,
      sentAt: instantOrNull,
      deliveredAt: instantOrNull,
      readAt: instantOrNull,
      ledger: sequences,
    }),
  ),
  answers: z.array(timelineSchema),
  permissions: z.array(
    permissionSchema.extend({
      source: z.enum(['user', 'automatic']),
      promisedAt: instantOrNull,
      messageId: z.string(),
      usedAt: instantOrNull,
      ledger: sequences,
    }),
  ),
  refusals: z.array(timelineSchema),
  calls: z.array(
    callSchema.extend({
      cdr: cdrSchema.nullable(),
      policyPack: textOrNull,
      requestId: textOrNull,
      requestedIn: sequenceOrNull,
      grantedIn: sequenceOrNull,
      usedIn: sequenceOrNull,
      ledger: sequences,
    }),
  ),
  optOuts: z.array(timelineSchema),
  checkpoint: z.object({
    verifierKey: z.string(),
    note: textOrNull.describe('The newest checkpoint; null in the first minute of an account.'),
  }),
  proofs: z.array(
    z.object({
      sequence: z.number(),
      leaf: z.number(),
      proof: z.array(z.string()).describe('In hex, in the order of RFC 6962.'),
    }),
  ),
  ledgerHead: chainHeadSchema,
  ledger: z.array(chainedEntrySchema),
});

/** All that shows why a customer was asked, called or left alone, as one file. */
export function registerEvidenceRoutes(
  app: HttpServer,
  context: ApiContext & { checkpointSigner: CheckpointSigner },
): void {
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/contacts/:id/evidence',
    {
      onRequest,
      handlerTimeout: DOWNLOAD_MS,
      schema: {
        tags: ['evidence'],
        summary: 'All evidence about one contact as one file, with the ledger that proves it',
        params: z.object({ id: z.string() }),
        response: { 200: evidenceSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const id = idFrom('contact', request.params.id);
      const contact = found(await readContact(context.database, accountId, id), 'contact');
      const evidence = await gatherEvidence(context, contact.id);
      // Named after our id, never after the number: file names end up in mails and logs.
      const day = String(evidence['generatedAt']).slice(0, 10);
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .header('content-disposition', `attachment; filename="evidence-${contact.id}-${day}.json"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(inChunks(jsonObjectText(evidence))) as never);
    },
  );
}
