import { z } from 'zod';
import { readContact } from '../contacts/contact-store.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { entriesOfContact } from '../ledger/ledger-store.ts';
import { bareEntryView } from '../ledger/ledger-views.ts';
import { bareEntrySchema } from '../ledger/ledger-routes.ts';
import { isoTime } from '../platform/clock.ts';
import { consistencyProof, provenPlace } from './checkpoint-lookup.ts';
import { checkpointOfSize, checkpointsBefore, latestCheckpoint } from './checkpoint-store.ts';
import { originOf, type Checkpoint, type CheckpointSigner } from './checkpoints.ts';

const checkpointSchema = z.object({
  size: z.number().describe('Entries of the account that it covers.'),
  root: z.string().describe('Root of the tree over them, in hex.'),
  at: z.string().describe('RFC 3339, UTC'),
  note: z.string().describe('The signed text: a checkpoint of C2SP in a signed note.'),
});

const hashes = z.array(z.string()).describe('In hex, in the order of RFC 6962.');
const size = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

const inclusionSchema = z.object({
  format: z.literal('askfirst-inclusion-1'),
  accountId: z.string(),
  verifierKey: z.string(),
  note: z.string(),
  leaf: z.number().describe('0 is the first.'),
  proof: hashes,
  entry: bareEntrySchema,
});

const consistencySchema = z.object({
  format: z.literal('askfirst-consistency-1'),
  accountId: z.string(),
  verifierKey: z.string(),
  from: z.string().describe('The earlier note.'),
  to: z.string().describe('The later note.'),
  proof: hashes,
});

function checkpointView({ size: entries, root, at, note }: Checkpoint) {
  return { size: entries, root: Buffer.from(root).toString('hex'), at: isoTime(at), note };
}

const hexOf = (proof: readonly Uint8Array[]): string[] =>
  proof.map((hash) => Buffer.from(hash).toString('hex'));

type CheckpointContext = ApiContext & { checkpointSigner: CheckpointSigner };

/** Checkpoints of the account's ledger, and proofs against them. */
export function registerCheckpointRoutes(app: HttpServer, context: CheckpointContext): void {
  listCheckpoints(app, context);
  proveInclusion(app, context);
  proveConsistency(app, context);
}

function listCheckpoints(app: HttpServer, context: CheckpointContext): void {
  const { database, checkpointSigner: signer } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['evidence'];

  app.get(
    '/v1/ledger/checkpoints',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Signed checkpoints of the ledger, newest first',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
          before: size.optional().describe('Only smaller ones: the `next` of the page before.'),
        }),
        response: {
          200: z.object({ items: z.array(checkpointSchema), next: z.number().nullable() }),
        },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { limit, before } = request.query;
      const rows = await checkpointsBefore(database, accountId, before ?? null, limit + 1);
      const shown = rows.slice(0, limit);
      const next = rows.length > limit ? (shown.at(-1)?.size ?? null) : null;
      return { items: shown.map(checkpointView), next };
    },
  );

  app.get(
    '/v1/ledger/checkpoints/latest',
    {
      onRequest,
      schema: { tags, summary: 'The newest checkpoint', response: { 200: checkpointSchema } },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      return checkpointView(found(await latestCheckpoint(database, accountId), 'checkpoint'));
    },
  );

  app.get(
    '/v1/ledger/checkpoints/key',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The public key that checkpoints are checked with',
        response: {
          200: z.object({
            origin: z.string().describe('The name of the log in its checkpoints.'),
            verifierKey: z.string().describe('As tools for signed notes take it.'),
            publicKeyPem: z.string(),
          }),
        },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const verifierKey = signer.verifierKey(accountId);
      return { origin: originOf(accountId), verifierKey, publicKeyPem: signer.publicKeyPem };
    },
  );
}

function proveInclusion(app: HttpServer, context: CheckpointContext): void {
  const { database, checkpointSigner: signer } = context;
  app.get(
    '/v1/contacts/:id/inclusion',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['evidence'],
        summary: 'Proves that one entry stands in the ledger of the newest checkpoint',
        params: z.object({ id: z.string() }),
        querystring: z.object({ sequence: size.describe('The entry, by its number.') }),
        response: { 200: inclusionSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { sequence } = request.query;
      const id = idFrom('contact', request.params.id);
      const { id: contactId } = found(await readContact(database, accountId, id), 'contact');
      const [next] = await entriesOfContact(database, contactId, sequence - 1, 1);
      const entry = found(next?.sequence === sequence ? next : null, 'ledger entry');
      const place = await provenPlace(database, accountId, contactId, sequence);
      if (place === null) throw notCoveredYet();
      return {
        format: 'askfirst-inclusion-1' as const,
        accountId,
        verifierKey: signer.verifierKey(accountId),
        note: place.checkpoint.note,
        leaf: place.leaf,
        proof: hexOf(place.proof),
        entry: bareEntryView(entry),
      };
    },
  );
}

function notCoveredYet(): HttpError {
  return new HttpError('not_found', 'No checkpoint covers this entry yet.', {
    fix: 'Ask again in a minute: checkpoints are made every 60 seconds.',
  });
}

function proveConsistency(app: HttpServer, context: CheckpointContext): void {
  const { database, checkpointSigner: signer } = context;
  app.get(
    '/v1/ledger/checkpoints/consistency',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['evidence'],
        summary: 'Proves that one checkpoint only added to an earlier one',
        querystring: z.object({
          from: size.describe('Size of the earlier checkpoint.'),
          to: size.optional().describe('Size of the later one; the newest if left out.'),
        }),
        response: { 200: consistencySchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { from, to } = request.query;
      const earlier = found(await checkpointOfSize(database, accountId, from), 'checkpoint');
      const later = found(
        to === undefined
          ? await latestCheckpoint(database, accountId)
          : await checkpointOfSize(database, accountId, to),
        'checkpoint',
      );
      if (later.size < earlier.size) {
        throw new HttpError('invalid_request', 'The later checkpoint is the smaller one.', {
          fields: [{ field: 'to', rule: 'at least "from"', fix: 'Exchange the two sizes.' }],
        });
      }
      const proof = await consistencyProof(database, accountId, earlier.size, later.size);
      return {
        format: 'askfirst-consistency-1' as const,
        accountId,
        verifierKey: signer.verifierKey(accountId),
        from: earlier.note,
        to: later.note,
        proof: hexOf(proof),
      };
    },
  );
}
