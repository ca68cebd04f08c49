import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, Ids, TemplateId } from '../platform/ids.ts';
import { BUILT_IN_TEMPLATES } from './template.ts';
import type { TemplateCategory, TemplateContent, TemplateStatus } from './template.ts';

/** Whose template: one WhatsApp Business account of one of our accounts. */
export type TemplateOwner = { accountId: AccountId; wabaId: string };

export type StoredTemplate = TemplateOwner & {
  id: TemplateId;
  name: string;
  language: string;
  /** Meta's category of today; the content keeps the one it was written for. */
  category: TemplateCategory;
  /** The newest content. */
  version: number;
  /** The version Meta holds; null while it has none. */
  metaVersion: number | null;
  metaId: string | null;
  status: TemplateStatus;
  reason: string | null;
  advice: string | null;
  quality: string | null;
  comingCategory: string | null;
  origin: 'built_in' | 'own' | 'meta';
  statusAt: number;
  createdAt: number;
  deletedAt: number | null;
};

export type VersionedTemplate = StoredTemplate & { content: TemplateContent };

type TemplateRow = {
  id: TemplateId;
  account_id: AccountId;
  waba_id: string;
  name: string;
  language: string;
  category: TemplateCategory;
  version: number;
  meta_version: number | null;
  meta_id: string | null;
  status: TemplateStatus;
  reason: string | null;
  advice: string | null;
  quality: string | null;
  coming_category: string | null;
  origin: StoredTemplate['origin'];
  status_at: number;
  created_at: number;
  deleted_at: number | null;
  content: TemplateContent;
};

const COLUMNS = `t.id, t.account_id, t.waba_id, t.name, t.language, t.category, t.version,
  t.meta_version, t.meta_id, t.status, t.reason, t.advice, t.quality, t.coming_category, t.origin,
  t.status_at, t.created_at, t.deleted_at, v.content`;
const NEWEST = `templates t join template_versions v on v.template_id = t.id
  and v.version = t.version`;

const BY_ID = statement<TemplateRow>(
  'template_by_id',
  `select ${COLUMNS} from ${NEWEST} where t.id = $1 and t.account_id = $2`,
);

export async function readTemplate(
  db: Queryable,
  accountId: AccountId,
  id: TemplateId,
): Promise<VersionedTemplate | null> {
  const row = await db.first(BY_ID, [id, accountId]);
  return row === undefined || row.deleted_at !== null ? null : toTemplate(row);
}

const RED = statement<{ name: string }>(
  'template_red',
  `select distinct name from templates
    where account_id = $1 and upper(quality) = 'RED' and deleted_at is null order by name limit 50`,
);

/** Names of templates whose quality Meta rates worst, in any language. */
export async function redTemplates(db: Queryable, accountId: AccountId): Promise<string[]> {
  return (await db.run(RED, [accountId])).map(({ name }) => name);
}

const LOCK = statement<TemplateRow>(
  'template_lock',
  `select ${COLUMNS} from ${NEWEST}
    where t.account_id = $1 and t.waba_id = $2 and t.name = $3 and t.language = $4
      for update of t`,
);

/** The template of that name, deleted ones too, locked until the transaction ends. */
export async function lockTemplate(
  tx: Tx,
  { accountId, wabaId }: TemplateOwner,
  name: string,
  language: string,
): Promise<VersionedTemplate | null> {
  const row = await tx.first(LOCK, [accountId, wabaId, name, language]);
  return row === undefined ? null : toTemplate(row);
}

const SENDABLE = statement<TemplateRow>(
  'template_sendable',
  `select ${COLUMNS} from templates t join template_versions v on v.template_id = t.id
      and v.version = coalesce(t.meta_version, t.version)
    where t.account_id = $1 and t.waba_id = $2 and t.name = $3 and t.language = $4
      and t.deleted_at is null`,
);

/** The template with the content that Meta holds: what a customer would be shown now. */
export async function findTemplate(
  db: Queryable,
  { accountId, wabaId }: TemplateOwner,
  name: string,
  language: string,
): Promise<VersionedTemplate | null> {
  const row = await db.first(SENDABLE, [accountId, wabaId, name, language]);
  return row === undefined ? null : toTemplate(row);
}

const LIST = statement<TemplateRow>(
  'template_list',
  `select ${COLUMNS} from ${NEWEST}
    where t.account_id = $1 and t.deleted_at is null
      and ($2::text is null or t.waba_id = $2) and ($3::text is null or t.name = $3)
      and ($4::text is null or t.language = $4) and ($5::text is null or t.status = $5)
      and ($6::text is null or t.id > $6)
    order by t.id limit $7`,
);

export type TemplateFilter = {
  wabaId?: string | null;
  name?: string | null;
  language?: string | null;
  status?: TemplateStatus | null;
  after?: string | null;
  limit?: number;
};

/** In the order in which they were made, so that a page is stable. */
export async function listTemplates(
  db: Queryable,
  accountId: AccountId,
  filter: TemplateFilter = {},
): Promise<VersionedTemplate[]> {
  const { wabaId = null, name = null, language = null, status = null } = filter;
  const { after = null, limit = 10_000 } = filter;
  const values = [accountId, wabaId, name, language, status, after, limit];
  return (await db.run(LIST, values)).map(toTemplate);
}

const VERSIONS = statement<{
  version: number;
  content: TemplateContent;
  actor: string;
  created_at: number;
}>(
  'template_versions',
  `select version, content, actor, created_at from template_versions
    where template_id = $1 order by version desc`,
);

export type TemplateVersion = {
  version: number;
  content: TemplateContent;
  actor: string;
  createdAt: number;
};

/** Newest first. */
export async function versionsOf(db: Queryable, id: TemplateId): Promise<TemplateVersion[]> {
  const rows = await db.run(VERSIONS, [id]);
  return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }));
}

const SAVE = statement(
  'template_save',
  `insert into templates (id, account_id, waba_id, name, language, category, version,
     meta_version, meta_id, status, reason, advice, quality, coming_category, origin, status_at,
     created_at, deleted_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
   on conflict (id) do update set category = excluded.category, version = excluded.version,
     meta_version = excluded.meta_version, meta_id = excluded.meta_id, status = excluded.status,
     reason = excluded.reason, advice = excluded.advice, quality = excluded.quality,
     coming_category = excluded.coming_category, status_at = excluded.status_at,
     deleted_at = excluded.deleted_at`,
);

export async function saveTemplate(tx: Tx, template: StoredTemplate): Promise<void> {
  const { id, accountId, wabaId, name, language, category, version, metaVersion } = template;
  const { metaId, status, reason, advice, quality, comingCategory, origin } = template;
  await tx.run(SAVE, [
    id,
    accountId,
    wabaId,
    name,
    language,
    category,
    version,
    metaVersion,
    metaId,
    status,
    reason,
    advice,
    quality,
    comingCategory,
    origin,
    at(template.statusAt),
    at(template.createdAt),
    at(template.deletedAt),
  ]);
}

const ADD_VERSION = statement(
  'template_add_version',
  `insert into template_versions (template_id, version, content, actor, created_at)
   values ($1, $2, $3, $4, $5)`,
);

export async function addVersion(
  tx: Tx,
  id: TemplateId,
  { version, content, actor, createdAt }: TemplateVersion,
): Promise<void> {
  await tx.run(ADD_VERSION, [id, version, JSON.stringify(content), actor, at(createdAt)]);
}

const ADD_BUILT_INS = statement(
  'template_add_built_ins',
  `with added as (
     insert into templates (id, account_id, waba_id, name, language, category, version,
       meta_version, status, origin, status_at, created_at)
     select id, $1, $2, name, language, category, 1, case when $7 then 1 end,
            case when $7 then 'approved' else 'draft' end, 'built_in', $8, $8
       from unnest($3::text[], $4::text[], $5::text[], $6::text[])
              b (id, name, language, category)
     on conflict (account_id, waba_id, name, language) do nothing
     returning id
   )
   insert into template_versions (template_id, version, content, actor, created_at)
   select c.id, 1, c.content, 'product', $8
     from unnest($3::text[], $9::jsonb[]) c (id, content) join added using (id)`,
);

/**
 * Gives a WhatsApp Business account the templates of the product, where it lacks them: as drafts,
 * or as approved where Meta is known to have them, as in the sandbox.
 */
export async function addBuiltInTemplates(
  tx: Tx,
  ids: Ids,
  { accountId, wabaId }: TemplateOwner,
  { approved, now }: { approved: boolean; now: number },
): Promise<void> {
  const column = (pick: (template: (typeof BUILT_IN_TEMPLATES)[number]) => string): string[] =>
    BUILT_IN_TEMPLATES.map(pick);
  await tx.run(ADD_BUILT_INS, [
    accountId,
    wabaId,
    BUILT_IN_TEMPLATES.map(() => ids.next('template')),
    column(({ name }) => name),
    column(({ language }) => language),
    column(({ category }) => category),
    approved,
    at(now),
    column(({ name: _name, language: _language, ...content }) => JSON.stringify(content)),
  ]);
}

function toTemplate(row: TemplateRow): VersionedTemplate {
  return {
    id: row.id,
    accountId: row.account_id,
    wabaId: row.waba_id,
    name: row.name,
    language: row.language,
    category: row.category,
    version: row.version,
    metaVersion: row.meta_version,
    metaId: row.meta_id,
    status: row.status,
    reason: row.reason,
    advice: row.advice,
    quality: row.quality,
    comingCategory: row.coming_category,
    origin: row.origin,
    statusAt: row.status_at,
    createdAt: row.created_at,
    deletedAt: row.deleted_at,
    content: row.content,
  };
}

const OWNERS = statement<{ account_id: AccountId }>(
  'template_owners',
  'select distinct account_id from templates where waba_id = $1',
);

/** The accounts that have templates under a WhatsApp Business account. */
export async function ownersOf(db: Queryable, wabaId: string): Promise<AccountId[]> {
  return (await db.run(OWNERS, [wabaId])).map(({ account_id }) => account_id);
}
