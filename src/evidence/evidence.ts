import { readCallsWithCdrs } from '../calls/cdr-store.ts';
import { checkpointSection, inclusionProofs } from '../checkpoints/checkpoint-lookup.ts';
import { latestCheckpoint, runsOfContacts, type Run } from '../checkpoints/checkpoint-store.ts';
import type { Checkpoint, CheckpointSigner } from '../checkpoints/checkpoints.ts';
import { consentsOf, readPermissions, readRequests } from '../consent/consent-store.ts';
import { consentView } from '../consent/consent-views.ts';
import { lockContacts } from '../contacts/contact-store.ts';
import { handlesOfContact, type Contact } from '../contacts/contact.ts';
import { doNotCallIds, type DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { Database, Queryable } from '../database/database.ts';
import {
  entriesOfContact,
  entriesOfTypes,
  linksOfContact,
  type LedgerLink,
} from '../ledger/ledger-store.ts';
import { chainedEntryView, chainHeadView, timelineEntry } from '../ledger/ledger-views.ts';
import type { ChainHead, OpenedEntry } from '../ledger/ledger.ts';
import type { TimelineEntry } from '../http/api-types.ts';
import { readLines } from '../lines/line-store.ts';
import { isoTime, type Clock } from '../platform/clock.ts';
import type { ContactId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import {
  callEvidence,
  indexLinks,
  permissionEvidence,
  requestEvidence,
  type CallEvidence,
  type PermissionEvidence,
  type RequestEvidence,
} from './evidence-views.ts';

/**
 * The evidence bundle of one contact: everything that a business can show when somebody asks why
 * it called. It promises one instant: what the rows say and what the chain says belong together,
 * because both are read under the contact's lock. What can grow without end (refusals, the chain)
 * is read afterwards, page by page, up to the head of that instant; entries never change.
 */
export type EvidencePorts = {
  database: Database;
  clock: Clock;
  doNotCallKey: DoNotCallKey;
  checkpointSigner: CheckpointSigner;
};

/** 2 came with checkpoints. */
export const EVIDENCE_FORMAT = 'askfirst-evidence-2';

const PAGE = 500;
/** Links are small, and a contact may have very many refusals between them. */
const LINK_PAGE = 5_000;

const ANSWERS = ['PermissionGranted', 'PermissionDeclined', 'PermissionRevoked'];
const ANSWER_TYPES = [...ANSWERS, 'QuickReplyReceived'];
const REFUSAL_TYPES = ['PermissionRequestRefused', 'CallBlocked'];
const OPT_OUT_TYPES = [
  'OptedOut',
  'OptOutPending',
  'OptOutPendingCleared',
  'OptOutUnclear',
  'OptOutLate',
  'OptOutLifted',
  'OptOutRepeated',
  'DoNotCallAdded',
  'DoNotCallRemoved',
];

/**
 * The fields of the bundle in their order; async iterables are its long arrays. What happened
 * under contacts that turned out to be the same person follows as bundles of their own, because
 * each has a chain of its own; all stand under one checkpoint.
 */
export async function gatherEvidence(ports: EvidencePorts, contactId: ContactId) {
  const rows = await readRows(ports, contactId);
  const checkpoint = await latestCheckpoint(ports.database, rows.contact.accountId);
  return {
    ...(await evidencePart(ports, rows, checkpoint)),
    absorbed: absorbedParts(ports, rows.contact, checkpoint),
  };
}

/** One after the other, as the receiver takes them; whom they went on for is in the list too. */
async function* absorbedParts(
  ports: EvidencePorts,
  { absorbed }: Contact,
  checkpoint: Checkpoint | null,
): AsyncGenerator<EvidencePart> {
  for (const id of absorbed) yield evidencePart(ports, await readRows(ports, id), checkpoint);
}

async function evidencePart(ports: EvidencePorts, rows: Rows, checkpoint: Checkpoint | null) {
  const { generatedAt, contact, head, lines, requests, permissions, calls } = rows;
  const { id: contactId } = contact;
  const ofTypes = (types: readonly string[]) =>
    timelines((after) => entriesOfTypes(ports.database, contactId, types, after, PAGE), head);
  const chain = pages((after) => entriesOfContact(ports.database, contactId, after, PAGE), head);
  return {
    format: EVIDENCE_FORMAT,
    generatedAt,
    accountId: contact.accountId,
    contact: await contactSection(ports, contact),
    lines,
    policyPacks: packNames([...lines, ...requests, ...calls]),
    requests,
    answers: ofTypes(ANSWER_TYPES),
    permissions,
    refusals: ofTypes(REFUSAL_TYPES),
    calls,
    optOuts: ofTypes(OPT_OUT_TYPES),
    checkpoint: checkpointSection(ports, contact.accountId, checkpoint),
    proofs: checkpoint === null ? none() : proofsOf(ports.database, contactId, checkpoint, head),
    ledgerHead: chainHeadView(head),
    ledger: mapped(chain, chainedEntryView),
  };
}

export type Evidence = Awaited<ReturnType<typeof gatherEvidence>>;
/** The evidence of one chain. */
export type EvidencePart = Awaited<ReturnType<typeof evidencePart>>;

/** Where an entry stands in the tree under the bundle's checkpoint; hashes in hex. */
export type ProofView = { sequence: number; leaf: number; proof: string[] };

/** One proof per entry that the checkpoint covers: for a short time the last ones have none. */
async function* proofsOf(
  db: Database,
  contactId: ContactId,
  { accountId, size }: Checkpoint,
  head: ChainHead,
): AsyncGenerator<ProofView> {
  const runs = await runsOfContacts(db, [contactId], size);
  for (const page of pagesOf(placesOf(runs, head), PAGE)) {
    const leaves = page.map(({ leaf }) => leaf);
    const proofs = await inclusionProofs(db, accountId, size, leaves);
    for (const { sequence, leaf } of page) {
      const proof = (proofs.get(leaf) ?? []).map((hash) => hash.toString('hex'));
      yield { sequence, leaf, proof };
    }
  }
}

async function* none(): AsyncGenerator<never> {}

type Place = { sequence: number; leaf: number };

function* placesOf(runs: readonly Run[], head: ChainHead): Generator<Place> {
  for (const { firstSequence, entries, firstLeaf } of runs) {
    for (let index = 0; index < entries; index += 1) {
      const sequence = firstSequence + index;
      if (sequence <= head.sequence) yield { sequence, leaf: firstLeaf + index };
    }
  }
}

function* pagesOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let page: T[] = [];
  for (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

type Rows = {
  generatedAt: string;
  contact: Contact;
  head: ChainHead;
  lines: LineEvidence[];
  requests: RequestEvidence[];
  permissions: PermissionEvidence[];
  calls: CallEvidence[];
};

type LineEvidence = {
  id: string;
  name: string;
  displayNumber: string;
  country: string;
  policyPack: string;
};

/** Rows are found by what the ledger names: a few keys each, however large the tables are. */
async function readRows(ports: EvidencePorts, contactId: ContactId): Promise<Rows> {
  const { database, clock } = ports;
  const generatedAt = isoTime(clock.now());
  // Most of the chain is looked through before the lock, so that a stop never waits for it.
  const known = await newLinks(database, contactId, { links: [], last: 0 });
  return database.transaction(async (tx) => {
    const [locked] = await lockContacts(tx, [contactId]);
    invariant(locked !== undefined, `contact ${contactId} does not exist`);
    const { links } = await newLinks(tx, contactId, known);
    const index = indexLinks(links);
    const requests = await readRequests(tx, idsIn(index.requests));
    const permissions = await readPermissions(tx, idsIn(index.permissions));
    const calls = await readCallsWithCdrs(tx, idsIn(index.calls));
    const lineIds = [...requests, ...permissions, ...calls.map(({ call }) => call.plan)];
    const lines = await readLines(tx, [...new Set(lineIds.map(({ lineId }) => lineId))]);
    return {
      generatedAt,
      ...locked,
      lines: lines.map(({ id, name, displayNumber, country, policyPack }) => ({
        id,
        name,
        displayNumber,
        country,
        policyPack,
      })),
      requests: requests.map((row) => requestEvidence(row, index)),
      permissions: permissions.map((row) => permissionEvidence(row, index)),
      calls: calls.map((it) => callEvidence(it, index)),
    };
  });
}

type KnownLinks = { links: LedgerLink[]; last: number };

async function newLinks(
  db: Queryable,
  contactId: ContactId,
  known: KnownLinks,
): Promise<KnownLinks> {
  const links = [...known.links];
  let { last } = known;
  for (;;) {
    const page = await linksOfContact(db, contactId, last, LINK_PAGE);
    links.push(...page.filter((it) => it.requestId ?? it.permissionId ?? it.callId));
    last = page.at(-1)?.sequence ?? last;
    if (page.length < LINK_PAGE) return { links, last };
  }
}

function idsIn<K extends string>(links: ReadonlyMap<string | null, LedgerLink[]>): K[] {
  return [...links.keys()].filter((id) => id !== null) as K[];
}

async function contactSection(ports: EvidencePorts, contact: Contact) {
  const { database, clock, doNotCallKey } = ports;
  const consents = await consentsOf(database, [contact.id]);
  const listed = await doNotCallIds(database, doNotCallKey, [contact]);
  const { id, e164, userId, name, country, timeZone, optedOutAt, createdAt } = contact;
  return {
    id,
    number: e164,
    userId,
    handles: handlesOfContact(contact),
    name,
    country,
    timeZone,
    doNotCall: optedOutAt !== null || listed.has(id),
    optedOutAt: optedOutAt === null ? null : isoTime(optedOutAt),
    createdAt: isoTime(createdAt),
    consents: consents.map(({ lineId, state }) => consentView(lineId, state, clock.now())),
  };
}

function packNames(things: ReadonlyArray<{ policyPack: string | null }>): string[] {
  const names = things.map(({ policyPack }) => policyPack).filter((name) => name !== null);
  return [...new Set(names)].sort();
}

/** Entries up to the head, a page at a time. */
async function* pages(
  readAfter: (sequence: number) => Promise<OpenedEntry[]>,
  head: ChainHead,
): AsyncGenerator<OpenedEntry> {
  let after = 0;
  for (;;) {
    const page = await readAfter(after);
    for (const entry of page) {
      if (entry.sequence > head.sequence) return;
      yield entry;
    }
    after = page.at(-1)?.sequence ?? after;
    if (page.length < PAGE) return;
  }
}

async function* mapped<T, U>(items: AsyncIterable<T>, view: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield view(item);
}

function timelines(
  readAfter: (sequence: number) => Promise<OpenedEntry[]>,
  head: ChainHead,
): AsyncGenerator<TimelineEntry> {
  return mapped(pages(readAfter, head), timelineEntry);
}
