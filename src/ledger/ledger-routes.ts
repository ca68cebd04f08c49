import { Readable } from 'node:stream';
import { z } from 'zod';
import { chainsOfAccount, type ContactChain } from '../contacts/contact-store.ts';
import type { Database } from '../database/database.ts';
import { type ApiContext, idFrom } from '../http/api-context.ts';
import { timelineSchema } from '../http/api-schemas.ts';
import type { ChainedEntryView, ChainHeadView } from '../http/api-types.ts';
import { accountOf } from '../http/auth.ts';
import { inChunks, jsonLines } from '../http/json-stream.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import { entriesOfChains, entriesOfContact } from './ledger-store.ts';
import { chainedEntryView, chainHeadView } from './ledger-views.ts';

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

export const EXPORT_FORMAT = 'askfirst-ledger-1';

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
  }),
  z.object({ contactId: z.string(), head: chainHeadSchema }),
  chainedEntrySchema,
  z.object({ end: z.object({ contacts: z.number(), entries: z.number() }) }),
]);

/** The account's whole ledger as NDJSON, for a verifier that trusts nobody here. */
export function registerLedgerRoutes(app: HttpServer, context: ApiContext): void {
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
      const lines = exportLines(context.database, { accountId, afterId, generatedAt });
      return reply
        .header('content-type', 'application/x-ndjson; charset=utf-8')
        .header('content-disposition', `attachment; filename="ledger-${accountId}.ndjson"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(inChunks(jsonLines(lines))) as never);
    },
  );
}

type Wanted = { accountId: AccountId; afterId: ContactId | null; generatedAt: string };

async function* exportLines(db: Database, wanted: Wanted): AsyncGenerator<unknown> {
  const { accountId, generatedAt } = wanted;
  yield { format: EXPORT_FORMAT, generatedAt, accountId, after: wanted.afterId };
  let contacts = 0;
  let entries = 0;
  let { afterId } = wanted;
  for (;;) {
    const chains = await chainsOfAccount(db, accountId, afterId, CONTACTS_PAGE);
    for (const group of groupsOf(chains)) {
      for await (const line of linesOf(db, group)) {
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

type ExportLine = { contactId: string; head: ChainHeadView } | ChainedEntryView;

async function* linesOf(db: Database, group: readonly ContactChain[]): AsyncGenerator<ExportLine> {
  const [first] = group;
  if (first !== undefined && first.head.sequence > ENTRIES_PAGE) return yield* longChain(db, first);
  const entries = Map.groupBy(await entriesOfChains(db, group), ({ contactId }) => contactId);
  for (const { contactId, head } of group) {
    yield { contactId, head: chainHeadView(head) };
    for (const entry of entries.get(contactId) ?? []) yield chainedEntryView(entry);
  }
}

async function* longChain(db: Database, chain: ContactChain): AsyncGenerator<ExportLine> {
  const { contactId, head } = chain;
  yield { contactId, head: chainHeadView(head) };
  let after = 0;
  while (after < head.sequence) {
    const page = await entriesOfContact(db, contactId, after, ENTRIES_PAGE);
    // A gap at the end must not become an endless loop; the verifier will name it.
    if (page.length === 0) return;
    for (const entry of page) {
      if (entry.sequence <= head.sequence) yield chainedEntryView(entry);
      after = entry.sequence;
    }
  }
}
