import { lookAtLines } from '../brakes/brake-worker.ts';
import type { Tx } from '../database/database.ts';
import { recordInRegister } from '../do-not-call/register-commands.ts';
import type { LedgerPorts } from '../ledger/contact-unit.ts';
import { listLines, openLine, type StoredLine } from '../lines/line-store.ts';
import type { Log } from '../platform/log.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { ListedTemplate, WhatsAppClient, WhatsAppFact } from '../whatsapp/whatsapp.ts';
import { noteSync, planSync, SYNC_EVERY_MS } from './sync-store.ts';
import { afterNews, contentOfMeta, isShownAlike, type MetaNews } from './template-life.ts';
import {
  addVersion,
  findTemplate,
  listTemplates,
  lockTemplate,
  ownersOf,
  saveTemplate,
  type StoredTemplate,
  type TemplateOwner,
  type VersionedTemplate,
} from './template-store.ts';
import type { TemplateContent } from './template.ts';

/**
 * Keeps templates as Meta has them: by its webhooks, and by comparing with its list, for webhooks
 * may be lost and others may change templates in WhatsApp Manager.
 */
export type SyncPorts = LedgerPorts & {
  sealer: Sealer;
  whatsapp: WhatsAppClient;
};

export type SyncReport = {
  wabaId: string;
  /** What Meta lists. */
  listed: number;
  /** Templates that are new here. */
  imported: number;
  /** Templates whose status or content changed here. */
  changed: number;
  /** What Meta has and we cannot send: media headers, links, authentication. */
  ignored: number;
};

/** Our own reason, beside Meta's: what it should have and does not list. */
const NOT_AT_META = 'NOT_AT_META';

/** `submitted` may be told of before Meta lists it. */
const LIST_LAGS_MS = 60_000;

/** Compares the templates of a line's WhatsApp Business account with Meta's list. */
export async function syncTemplates(ports: SyncPorts, line: StoredLine): Promise<SyncReport> {
  const { database, clock } = ports;
  const { wabaId } = line.sealed;
  const owner = { accountId: line.accountId, wabaId };
  // News that come while Meta writes its list are newer than the list.
  const asOf = clock.now();
  const listed = await ports.whatsapp.listTemplates(openLine(line, ports.sealer).access);
  const report: SyncReport = { wabaId, listed: listed.length, imported: 0, changed: 0, ignored: 0 };
  for (const template of listed) {
    report[await database.transaction((tx) => takeOver(tx, ports, owner, template, asOf))] += 1;
  }
  report.changed += await dropUnlisted(ports, owner, listed, asOf);
  const outcome = { dueAt: clock.now() + SYNC_EVERY_MS, syncedAt: asOf, error: null };
  await noteSync(database, owner, outcome);
  // Only a count of what is as it was before stands in no report.
  return { ...report, listed: listed.length };
}

async function takeOver(
  tx: Tx,
  ports: SyncPorts,
  owner: TemplateOwner,
  listed: ListedTemplate,
  asOf: number,
): Promise<'imported' | 'changed' | 'ignored' | 'listed'> {
  const { name, language, draft } = listed;
  const known = await lockTemplate(tx, owner, name, language);
  if (known !== null && known.deletedAt !== null) return 'listed';
  const content = draft === null ? null : contentOfMeta(draft);
  if (known === null) {
    if (content === null) return 'ignored';
    await importTemplate(tx, ports, owner, listed, content, asOf);
    return 'imported';
  }
  const news = newsOf(listed, asOf);
  let next = afterNews(known, news);
  const held = await findTemplate(tx, owner, name, language);
  if (content !== null && held !== null && !isShownAlike(held.content, content)) {
    next = await withContent(tx, next, content, asOf);
  }
  if (isSame(known, next)) return 'listed';
  await saveNews(tx, ports, known, next);
  return 'changed';
}

function newsOf(listed: ListedTemplate, at: number): MetaNews {
  const { id: metaId, status, rejectedReason: reason, quality, category } = listed;
  return { at, metaId, status, reason, quality, category };
}

/** Meta's words are what customers see, so they become the version in use. */
async function withContent(
  tx: Tx,
  template: VersionedTemplate,
  content: TemplateContent,
  createdAt: number,
): Promise<VersionedTemplate> {
  if (isShownAlike(template.content, content)) {
    return { ...template, metaVersion: template.version };
  }
  const version = template.version + 1;
  await addVersion(tx, template.id, { version, content, actor: 'meta', createdAt });
  return { ...template, version, metaVersion: version, content };
}

async function importTemplate(
  tx: Tx,
  ports: Pick<SyncPorts, 'ids'>,
  owner: TemplateOwner,
  listed: ListedTemplate,
  content: TemplateContent,
  asOf: number,
): Promise<void> {
  const { name, language } = listed;
  const fresh: VersionedTemplate = {
    ...owner,
    id: ports.ids.next('template'),
    name,
    language,
    content,
    category: content.category,
    version: 1,
    metaVersion: 1,
    metaId: null,
    status: 'pending',
    reason: null,
    advice: null,
    quality: null,
    comingCategory: null,
    origin: 'meta',
    statusAt: asOf,
    createdAt: asOf,
    deletedAt: null,
  };
  await saveTemplate(tx, afterNews(fresh, newsOf(listed, asOf)));
  const version = { version: 1, content, actor: 'meta', createdAt: asOf };
  await addVersion(tx, fresh.id, version);
}

/** What Meta should have and does not list was deleted there, or never arrived. */
async function dropUnlisted(
  ports: SyncPorts,
  owner: TemplateOwner,
  listed: readonly ListedTemplate[],
  asOf: number,
): Promise<number> {
  const there = new Set(listed.map(({ name, language }) => `${name} ${language}`));
  const ours = await listTemplates(ports.database, owner.accountId, { wabaId: owner.wabaId });
  const missing = ours.filter(
    ({ name, language, status, reason }) =>
      status !== 'draft' && reason !== NOT_AT_META && !there.has(`${name} ${language}`),
  );
  let dropped = 0;
  for (const { name, language } of missing) {
    await ports.database.transaction(async (tx) => {
      const locked = await lockTemplate(tx, owner, name, language);
      if (locked === null || locked.status === 'draft' || locked.statusAt > asOf) return;
      if (locked.status === 'submitted' && asOf - locked.statusAt < LIST_LAGS_MS) return;
      const never = locked.status === 'submitted' && locked.metaId === null;
      await saveNews(tx, ports, locked, {
        ...locked,
        metaId: null,
        metaVersion: null,
        statusAt: asOf,
        status: never ? 'draft' : 'disabled',
        reason: never ? null : NOT_AT_META,
      });
      dropped += 1;
    });
  }
  return dropped;
}

/** Saves a template as Meta has it now; a new status is told to the business. */
async function saveNews(
  tx: Tx,
  ports: LedgerPorts,
  before: StoredTemplate,
  after: StoredTemplate,
): Promise<void> {
  await saveTemplate(tx, after);
  if (after.status === before.status) return;
  const { id: templateId, name, language, status, reason, accountId } = after;
  const data = { templateId, name, language, status, before: before.status, reason };
  const announce = { type: 'template.status_changed', callId: null, sequence: 0, data } as const;
  const entry = { type: 'TemplateStatusChanged', actor: 'meta', data, announce } as const;
  await recordInRegister(tx, ports, accountId, entry);
}

function isSame(one: VersionedTemplate, other: VersionedTemplate): boolean {
  const { statusAt: _one, ...before } = one;
  const { statusAt: _other, ...after } = other;
  return JSON.stringify(before) === JSON.stringify(after);
}

export type TemplateFact = Extract<
  WhatsAppFact,
  { kind: 'templateStatus' | 'templateQuality' | 'templateCategory' }
>;

/** Folds one of Meta's webhooks about a template; one that nobody knows is looked up soon. */
export async function foldTemplateFact(
  ports: SyncPorts & { log: Log },
  fact: TemplateFact,
): Promise<void> {
  const { wabaId = '', name, language } = fact;
  for (const accountId of await ownersOf(ports.database, wabaId)) {
    const owner = { accountId, wabaId };
    await ports.database.transaction(async (tx) => {
      const template = await lockTemplate(tx, owner, name, language);
      if (template === null) return planSync(tx, owner, ports.clock.now());
      if (template.deletedAt !== null) return undefined;
      return saveNews(tx, ports, template, afterNews(template, newsOfFact(fact)));
    });
    if (fact.kind === 'templateQuality') await lookAtLinesOf(ports, owner);
  }
}

/**
 * What a template is rated counts for all that went out with it, so its lines are judged right
 * away, and not when something of theirs is counted next: until then they would send on as before.
 */
export async function lookAtLinesOf(
  ports: LedgerPorts & { log: Log },
  { accountId, wabaId }: TemplateOwner,
): Promise<void> {
  const lines = await listLines(ports.database, accountId);
  const ids = lines.filter(({ sealed }) => sealed.wabaId === wabaId).map(({ id }) => id);
  await lookAtLines(ports, ids);
}

function newsOfFact(fact: TemplateFact): MetaNews {
  const { at, metaId } = fact;
  switch (fact.kind) {
    case 'templateStatus': {
      const { event: status, reason = null, advice = null } = fact;
      return { at, metaId, status, reason, advice };
    }
    case 'templateQuality':
      return { at, metaId, quality: fact.quality };
    case 'templateCategory': {
      const { category, comingCategory = null } = fact;
      return { at, metaId, category, comingCategory };
    }
  }
}
