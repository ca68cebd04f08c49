import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  checkpointSection,
  tileLines,
  type CheckpointSection,
} from '../checkpoints/checkpoint-lookup.ts';
import { latestCheckpoint, runsOfContacts, type Run } from '../checkpoints/checkpoint-store.ts';
import type { CheckpointSigner } from '../checkpoints/checkpoints.ts';
import { chainsOfAccount, type ContactChain } from '../contacts/contact-store.ts';
import type { Database } from '../database/database.ts';
import { type ApiContext, idFrom } from '../http/api-context.ts';
import { timelineSchema } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { inChunks, jsonLines } from '../http/json-stream.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import { entriesOfChains, entriesOfContact } from './ledger-store.ts';
import {
  bareEntryView,
  chainHeadView,
  type BareEntryView,
  type ChainedEntryView,
  type ChainHeadView,
} from './ledger-views.ts';

export const chainHeadSchema = z.object({
  sequence: z.number(),
  hash: z.string(),
}) satisfies z.ZodType<ChainHeadView>;

export const chainedEntrySchema = timelineSchema.extend({
  id: z.string(),
  accountId: z.string(),
  contactId: z.string(),
  sealed: z.string().nullable(),
  sealKey: z.string().nullable(),
  previousHash: z.string(),
  hash: z.string(),
}) satisfies z.ZodType<ChainedEntryView>;

export const bareEntrySchema = z.object({
  sequence: z.number(),
  id: z.string(),
  accountId: z.string(),
  contactId: z.string(),
  type: z.string(),
  actor: z.string(),
  at: z.string(),
  data: z.record(z.string(), z.unknown()),
  sealedHash: z.string().nullable().describe('SHA-256 of the personal part, in hex.'),
  previousHash: z.string(),
  hash: z.string(),
}) satisfies z.ZodType<BareEntryView>;

/** 2 came with checkpoints. */
export const EXPORT_FORMAT = 'askfirst-ledger-2';

/** A download may take as long as a slow line needs; no connection to the database waits for it. */
export const DOWNLOAD_MS = 3_600_000;

const CONTACTS_PAGE = 500;
/** Chains are read together until they have this many entries; a longer one is read in pages. */
const ENTRIES_PAGE = 2_000;

/** One line of an export, in the order in which they come. */
const exportLineSchema = z.union([
  z.object({
    format: z.literal(EXPORT_FORMAT),
    generatedAt: z.string(),
    accountId: z.string(),
    after: z.string().nullable(),
    verifierKey: z.string().describe('The public key of the note.'),
    note: z.string().nullable().describe('The newest checkpoint.'),
  }),
  z
    .object({ tile: z.tuple([z.number(), z.number()]), hashes: z.string() })
    .describe('Hashes of the tree under the checkpoint: level and number of the tile; base64.'),
  z.object({
    contactId: z.string(),
    head: chainHeadSchema,
    runs: z
      .array(z.tuple([z.number(), z.number(), z.number()]))
      .describe('First sequence, number of entries, first leaf: where they are in the tree.'),
  }),
  bareEntrySchema,
  z.object({ end: z.object({ contacts: z.number(), entries: z.number() }) }),
]);

/** The account's whole ledger as NDJSON, for a verifier that trusts nobody here. */
export function registerLedgerRoutes(
  app: HttpServer,
  context: ApiContext & { checkpointSigner: CheckpointSigner },
): void {
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/ledger/export',
    {
      onRequest,
      handlerTimeout: DOWNLOAD_MS,
      schema: {
        tags: ['evidence'],
        summary: 'The whole ledger of the account, one JSON value per line',
        querystring: z.object({
          after: z.string().max(200).optional().describe('A contact: go on behind it.'),
        }),
        response: { 200: { content: { 'application/x-ndjson': { schema: exportLineSchema } } } },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { after } = request.query;
      const afterId = after === undefined ? null : idFrom('contact', after);
      const generatedAt = isoTime(context.clock.now());
      const checkpoint = await latestCheckpoint(context.database, accountId);
      const section = checkpointSection(context, accountId, checkpoint);
      const wanted = { accountId, afterId, generatedAt, section, size: checkpoint?.size ?? 0 };
      const lines = exportLines(context.database, wanted);
      return reply
        .header('content-type', 'application/x-ndjson; charset=utf-8')
        .header('content-disposition', `attachment; filename="ledger-${accountId}.ndjson"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(inChunks(jsonLines(lines))) as never);
    },
  );
}

type Wanted = {
  accountId: AccountId;
  afterId: ContactId | null;
  generatedAt: string;
  section: CheckpointSection;
  /** Entries under the checkpoint; what was written after it is in the export too. */
  size: number;
};

async function* exportLines(db: Database, wanted: Wanted): AsyncGenerator<unknown> {
  const { accountId, generatedAt, section, size } = wanted;
  yield { format: EXPORT_FORMAT, generatedAt, accountId, after: wanted.afterId, ...section };
  yield* tileLines(db, accountId, size);
  let contacts = 0;
  let entries = 0;
  let { afterId } = wanted;
  for (;;) {
    const chains = await chainsOfAccount(db, accountId, afterId, CONTACTS_PAGE);
    for (const group of groupsOf(chains)) {
      for await (const line of linesOf(db, group, size)) {
        if ('hash' in line) entries += 1;
        else contacts += 1;
        yield line;
      }
    }
    afterId = chains.at(-1)?.contactId ?? afterId;
    // The last line tells a whole file from one whose connection broke.
    if (chains.length < CONTACTS_PAGE) return yield { end: { contacts, entries } };
  }
}

/** Neighbours whose chains are short are read in one statement. */
function groupsOf(chains: readonly ContactChain[]): ContactChain[][] {
  const groups: ContactChain[][] = [];
  let room = 0;
  for (const chain of chains) {
    const last = groups.at(-1);
    if (last === undefined || chain.head.sequence > room) {
      groups.push([chain]);
      room = ENTRIES_PAGE - chain.head.sequence;
    } else {
      last.push(chain);
      room -= chain.head.sequence;
    }
  }
  return groups;
}

type ExportLine = ContactLine | BareEntryView;
type ContactLine = {
  contactId: string;
  head: ChainHeadView;
  runs: Array<[firstSequence: number, entries: number, firstLeaf: number]>;
};

async function* linesOf(
  db: Database,
  group: readonly ContactChain[],
  size: number,
): AsyncGenerator<ExportLine> {
  const ids = group.map(({ contactId }) => contactId);
  const runs = Map.groupBy(await runsOfContacts(db, ids, size), ({ contactId }) => contactId);
  const [first] = group;
  if (first !== undefined && first.head.sequence > ENTRIES_PAGE) {
    yield contactLine(first, runs.get(first.contactId));
    return yield* longChain(db, first);
  }
  const entries = Map.groupBy(await entriesOfChains(db, group), ({ contactId }) => contactId);
  for (const chain of group) {
    yield contactLine(chain, runs.get(chain.contactId));
    for (const entry of entries.get(chain.contactId) ?? []) yield bareEntryView(entry);
  }
}

function contactLine({ contactId, head }: ContactChain, runs: readonly Run[] = []): ContactLine {
  return {
    contactId,
    head: chainHeadView(head),
    runs: runs.map(({ firstSequence, entries, firstLeaf }) => [firstSequence, entries, firstLeaf]),
  };
}

async function* longChain(db: Database, chain: ContactChain): AsyncGenerator<BareEntryView> {
  const { contactId, head } = chain;
  let after = 0;
  while (after < head.sequence) {
    const page = await entriesOfContact(db, contactId, after, ENTRIES_PAGE);
    // A gap at the end must not become an endless loop; the verifier will name it.
    if (page.length === 0) return;
    for (const entry of page) {
      if (entry.sequence <= head.sequence) yield bareEntryView(entry);
      after = entry.sequence;
    }
  }
}
