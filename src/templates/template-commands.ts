import type { Database, Tx } from '../database/database.ts';
import { listLines, openLine, type StoredLine } from '../lines/line-store.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { WhatsAppFailure, type LineAccess } from '../whatsapp/whatsapp.ts';
import { draftOf, lintRefusal, submitRefusal } from './template-life.ts';
import {
  addVersion,
  lockTemplate,
  readTemplate,
  saveTemplate,
  type TemplateOwner,
  type VersionedTemplate,
} from './template-store.ts';
import { syncTemplates, type SyncPorts } from './sync-commands.ts';
import type { TemplateContent, TemplateDraft } from './template.ts';

/** Writing templates, and handing them to Meta. */
export type TemplatePorts = SyncPorts;

/** Adds a draft. A name that was deleted here may be used again; Meta may need 30 days for it. */
export async function addTemplate(
  tx: Tx,
  ports: Pick<TemplatePorts, 'ids' | 'clock'>,
  owner: TemplateOwner,
  draft: TemplateDraft,
  actor: string,
): Promise<VersionedTemplate | Refused> {
  const refused = lintRefusal(draft);
  if (refused !== null) return refused;
  const { name, language, ...content } = draft;
  const known = await lockTemplate(tx, owner, name, language);
  if (known !== null && known.deletedAt === null) return exists(known);
  const now = ports.clock.now();
  const template: VersionedTemplate = {
    ...blank(owner, now),
    name,
    language,
    content,
    category: content.category,
    id: known?.id ?? ports.ids.next('template'),
    version: (known?.version ?? 0) + 1,
  };
  await saveTemplate(tx, template);
  await addVersion(tx, template.id, { version: template.version, content, actor, createdAt: now });
  return template;
}

/** What a template has before anybody has said anything about it. */
function blank(owner: TemplateOwner, now: number) {
  return {
    ...owner,
    metaVersion: null,
    metaId: null,
    status: 'draft',
    reason: null,
    advice: null,
    quality: null,
    comingCategory: null,
    origin: 'own',
    deletedAt: null,
    statusAt: now,
    createdAt: now,
  } as const;
}

/**
 * Changes the content, as a new version. What Meta holds stays in use until the change is
 * submitted; then it goes through review again.
 */
export async function changeTemplate(
  tx: Tx,
  ports: Pick<TemplatePorts, 'clock'>,
  template: VersionedTemplate,
  change: Partial<TemplateContent>,
  actor: string,
): Promise<VersionedTemplate | Refused> {
  const locked = await lockTemplate(tx, template, template.name, template.language);
  if (locked === null || locked.deletedAt !== null) return gone();
  if (locked.status === 'submitted' || locked.status === 'pending') {
    const refused = submitRefusal(locked);
    if (isRefused(refused)) return refused;
  }
  const content: TemplateContent = { ...locked.content, ...change };
  const refused = lintRefusal({ ...draftOf(locked), ...content });
  if (refused !== null) return refused;
  const version = locked.version + 1;
  // Until Meta has seen it, the category is the author's to choose.
  const category = locked.metaVersion === null ? content.category : locked.category;
  const changed = { ...locked, version, content, category };
  await saveTemplate(tx, changed);
  const createdAt = ports.clock.now();
  await addVersion(tx, locked.id, { version, content, actor, createdAt });
  return changed;
}

/**
 * Hands the newest version to Meta. `submitted` is written before Meta is asked: should the
 * answer be lost, the next comparison finds out what became of it.
 */
export async function submitTemplate(
  ports: TemplatePorts,
  line: StoredLine,
  template: VersionedTemplate,
): Promise<VersionedTemplate | Refused> {
  const before = await ports.database.transaction(async (tx) => {
    const locked = await lockTemplate(tx, template, template.name, template.language);
    if (locked === null || locked.deletedAt !== null) return gone();
    const refused = submitRefusal(locked);
    if (refused === 'done') return { done: locked };
    if (refused !== null) return refused;
    await saveTemplate(tx, { ...locked, status: 'submitted', statusAt: ports.clock.now() });
    return { locked };
  });
  if (isRefused(before)) return before;
  if ('done' in before) return before.done;
  const { locked } = before;
  const { access } = openLine(line, ports.sealer);
  try {
    const metaId = await handOver(ports, access, locked);
    return await settle(ports, { ...locked, metaId, metaVersion: locked.version });
  } catch (error) {
    return giveBack(ports, line, locked, error);
  }
}

async function handOver(
  { whatsapp }: TemplatePorts,
  access: LineAccess,
  template: VersionedTemplate,
): Promise<string> {
  const draft = draftOf(template);
  if (template.metaId === null) return (await whatsapp.createTemplate(access, draft)).id;
  await whatsapp.editTemplate(access, template.metaId, draft);
  return template.metaId;
}

/** Meta took it. Its decision may have been quicker than its answer. */
async function settle(ports: TemplatePorts, taken: VersionedTemplate): Promise<VersionedTemplate> {
  return ports.database.transaction(async (tx) => {
    const now = await lockTemplate(tx, taken, taken.name, taken.language);
    const { metaId, metaVersion } = taken;
    const status = now === null || now.status === 'submitted' ? 'pending' : now.status;
    const settled: VersionedTemplate = {
      ...(now ?? taken),
      metaId,
      metaVersion,
      status,
      ...(status === 'pending' ? { reason: null, advice: null } : {}),
    };
    await saveTemplate(tx, settled);
    return settled;
  });
}

/** Meta said no, most often because it has the name already: then its content is taken over. */
async function giveBack(
  ports: TemplatePorts,
  line: StoredLine,
  template: VersionedTemplate,
  error: unknown,
): Promise<VersionedTemplate | Refused> {
  const isDefinite = error instanceof WhatsAppFailure && error.side !== 'indeterminate';
  if (!isDefinite) throw error;
  const { status, reason, statusAt, metaId } = template;
  await ports.database.transaction(async (tx) => {
    const now = await lockTemplate(tx, template, template.name, template.language);
    if (now?.status !== 'submitted') return;
    await saveTemplate(tx, { ...now, status, statusAt, reason: reason ?? error.message });
  });
  if (metaId === null && error.side === 'client') {
    await syncTemplates(ports, line);
    const found = await readTemplate(ports.database, template.accountId, template.id);
    // With Meta's id known, changed words go out as an edit; that cannot end up here again.
    if (found !== null && found.metaId !== null) return submitUnlessSame(ports, line, found);
  }
  throw error;
}

async function submitUnlessSame(
  ports: TemplatePorts,
  line: StoredLine,
  template: VersionedTemplate,
): Promise<VersionedTemplate | Refused> {
  const isSame = template.version === template.metaVersion || template.status === 'pending';
  return isSame ? template : submitTemplate(ports, line, template);
}

/** Deletes it here and at Meta. Its versions stay, for requests that were made with it. */
export async function deleteTemplate(
  ports: TemplatePorts,
  line: StoredLine | null,
  template: VersionedTemplate,
): Promise<void> {
  const { metaId, name } = template;
  if (metaId !== null && line !== null) {
    await ports.whatsapp.deleteTemplate(openLine(line, ports.sealer).access, { name, metaId });
  }
  await ports.database.transaction(async (tx) => {
    const locked = await lockTemplate(tx, template, name, template.language);
    if (locked === null) return;
    const deletedAt = ports.clock.now();
    await saveTemplate(tx, { ...locked, ...blankAtMeta(deletedAt), deletedAt });
  });
}

function blankAtMeta(statusAt: number) {
  return { metaId: null, metaVersion: null, status: 'draft', statusAt } as const;
}

/** A line that speaks for the WhatsApp Business account, or null when none does any more. */
export async function lineOfOwner(
  db: Database,
  { accountId, wabaId }: TemplateOwner,
): Promise<StoredLine | null> {
  const lines = await listLines(db, accountId);
  return lines.find(({ sealed }) => sealed.wabaId === wabaId) ?? null;
}

function exists({ id, name, language }: VersionedTemplate): Refused {
  return {
    refused: {
      code: 'template_exists',
      message: `There is a template ${name} in ${language} already.`,
      fix: `Change that one (PATCH /v1/templates/${id}), or choose another name.`,
    },
  };
}

function gone(): Refused {
  return {
    refused: {
      code: 'template_unknown',
      message: 'This template was deleted.',
      fix: 'Write a new one: POST /v1/templates.',
    },
  };
}
