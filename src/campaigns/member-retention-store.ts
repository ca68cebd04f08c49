import { at, statement, type Database } from '../database/database.ts';
import type { CampaignId } from './campaign.ts';

const ROUND_MAX = 1_000;
const PURGE_BATCH = 5_000;

// Somebody who is still on the way has an end to come, which their list must not miss.
const OVER = statement<{ id: CampaignId }>(
  'campaign_over_for_long',
  `select c.id from campaigns c
    where c.ended_at < $1 and c.people_forgotten_at is null
      and not exists (select from campaign_members m
                       where m.campaign_id = c.id and m.state in ('waiting', 'running'))
    order by c.ended_at limit $2`,
);

const KEEP_COUNTS = statement(
  'campaign_keep_counts',
  `update campaigns set people_counts = (
      select coalesce(jsonb_agg(jsonb_build_object(
               'state', g.state, 'reason', g.reason, 'people', g.people)), '[]')
        from (select state, reason, count(*) as people from campaign_members
               where campaign_id = $1 group by 1, 2) g)
    where id = $1 and people_counts is null`,
);

const FORGET = statement<{ campaign_id: CampaignId }>(
  'campaign_member_forget',
  `delete from campaign_members where ctid = any (array(
     select ctid from campaign_members where campaign_id = $1 limit $2)) returning campaign_id`,
);

const FORGOTTEN = statement(
  'campaign_people_forgotten',
  'update campaigns set people_forgotten_at = $2 where id = $1',
);

/**
 * Forgets who was in campaigns that have been over for so long; how many people of each state and
 * reason there were stays. Whoever dies amid it leaves the counts, and the next one goes on.
 */
export async function forgetMembers(db: Database, now: number, keptMs: number): Promise<number> {
  let forgotten = 0;
  for (const { id } of await db.run(OVER, [at(now - keptMs), ROUND_MAX])) {
    await db.run(KEEP_COUNTS, [id]);
    let count: number;
    do {
      count = (await db.run(FORGET, [id, PURGE_BATCH])).length;
      forgotten += count;
    } while (count === PURGE_BATCH);
    await db.run(FORGOTTEN, [id, at(now)]);
  }
  return forgotten;
}
