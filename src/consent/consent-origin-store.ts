import { statement, type Queryable } from '../database/database.ts';
import { bucketOf, type PermissionId } from '../platform/ids.ts';

/** Where a permission came from: the template that asked, null where nothing of ours did. */
export type PermissionOrigin = {
  id: PermissionId;
  kind: 'temporary' | 'permanent';
  template: string | null;
  template_version: number | null;
  language: string | null;
};

const ORIGINS = statement<PermissionOrigin>(
  'consent_permission_origins',
  `select p.id, coalesce(p.state #>> '{permission,kind}', 'temporary') as kind,
          r.state #>> '{request,template}' as template,
          (r.state #>> '{request,templateVersion}')::integer as template_version,
          r.state #>> '{request,language}' as language
     from permissions p
     left join permission_requests r
       on r.bucket = p.bucket and r.id = p.state #>> '{permission,requestId}'
    where (p.bucket, p.id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

/** The origins of these permissions, by id. Nothing in them names anybody. */
export async function originsOf(
  db: Queryable,
  ids: readonly PermissionId[],
): Promise<Map<string, PermissionOrigin>> {
  if (ids.length === 0) return new Map();
  const rows = await db.run(ORIGINS, [ids.map((id) => bucketOf(id)), ids]);
  return new Map(rows.map((row) => [row.id, row]));
}
