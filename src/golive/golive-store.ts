import { statement, type Queryable } from '../database/database.ts';

type AgeRow = { line_age_ms: number | null; any_age_ms: number | null };

/**
 * Ages by the database's clock, because that clock set the times. Looks at the newest rows only:
 * two partial indexes lead to them, and a line in use is named by one of them.
 */
const WEBHOOK_AGE = statement<AgeRow>(
  'golive_webhook_age',
  `with newest as (
     (select received_at, body from whatsapp_inbox
      where state <> 'pending' order by finished_at desc limit 500)
     union all
     (select received_at, body from whatsapp_inbox
      where state = 'pending' order by bucket, id limit 100))
   select (extract(epoch from now() - max(received_at)
             filter (where position(convert_to($1, 'UTF8') in body) > 0)) * 1000)::float8
             as line_age_ms,
          (extract(epoch from now() - max(received_at)) * 1000)::float8 as any_age_ms
   from newest`,
);

/** How long ago the newest webhook came, about this phone number id and about any, in ms. */
export async function webhookAge(
  db: Queryable,
  phoneNumberId: string,
): Promise<{ lineAgeMs: number | null; anyAgeMs: number | null }> {
  const row = await db.first(WEBHOOK_AGE, [`"${phoneNumberId}"`]);
  return { lineAgeMs: row?.line_age_ms ?? null, anyAgeMs: row?.any_age_ms ?? null };
}
