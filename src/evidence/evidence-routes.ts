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
import type { AccountId } from '../platform/ids.ts';
import { evidencePage, PAGE_POLICY } from './evidence-page.ts';
import { EVIDENCE_FORMAT, gatherEvidence, type Evidence } from './evidence.ts';

const textOrNull = z.string().nullable();
const instantOrNull = textOrNull.describe('RFC 3339, UTC');
const sequences = z.array(z.number()).describe('Sequences of the ledger entries about it.');
const sequenceOrNull = z.number().nullable();

const evidencePartSchema = z.object({
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

/** For the OpenAPI document; the answer itself is a stream and passes by it. */
const evidenceSchema = evidencePartSchema.extend({
  absorbed: z
    .array(evidencePartSchema)
    .describe('Contacts that turned out to be this person, each with its own chain and proofs.'),
});

type EvidenceContext = ApiContext & { checkpointSigner: CheckpointSigner };

/** All that shows why a customer was asked, called or left alone, as one file. */
export function registerEvidenceRoutes(app: HttpServer, context: EvidenceContext): void {
  const onRequest = context.authenticator.authenticate;
  const tags = ['evidence'];
  const params = z.object({ id: z.string() });

  app.get(
    '/v1/contacts/:id/evidence',
    {
      onRequest,
      handlerTimeout: DOWNLOAD_MS,
      schema: {
        tags,
        summary: 'All evidence about one contact as one file, with the ledger that proves it',
        params,
        response: { 200: evidenceSchema },
      },
    },
    async (request, reply) => {
      const evidence = await evidenceOf(context, accountOf(request).accountId, request.params.id);
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .header('content-disposition', `attachment; filename="${fileName(evidence)}.json"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(inChunks(jsonObjectText(evidence))) as never);
    },
  );

  app.get(
    '/v1/contacts/:id/evidence.html',
    {
      onRequest,
      handlerTimeout: DOWNLOAD_MS,
      schema: {
        tags,
        summary: 'The same evidence as a page to read and print',
        params,
        response: { 200: { content: { 'text/html': { schema: z.string() } } } },
      },
    },
    async (request, reply) => {
      const evidence = await evidenceOf(context, accountOf(request).accountId, request.params.id);
      return reply
        .header('content-type', 'text/html; charset=utf-8')
        .header('content-security-policy', PAGE_POLICY)
        .header('content-disposition', `inline; filename="${fileName(evidence)}.html"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(inChunks(evidencePage(evidence))) as never);
    },
  );
}

async function evidenceOf(
  context: EvidenceContext,
  accountId: AccountId,
  text: string,
): Promise<Evidence> {
  const id = idFrom('contact', text);
  const contact = found(await readContact(context.database, accountId, id), 'contact');
  return gatherEvidence(context, contact.id);
}

/** Named after our id, never after the number: file names end up in mails and logs. */
function fileName({ contact, generatedAt }: Evidence): string {
  return `evidence-${contact.id}-${generatedAt.slice(0, 10)}`;
}
