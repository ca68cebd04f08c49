import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import { bucketOf, bucketSpans, type AccountId, type ContactId } from '../platform/ids.ts';
import type { ExperimentId, ExperimentMetric } from './experiment.ts';
import type { ArmCount, Look } from './judgement.ts';

/** That a person was asked or called under an arm for the first time. */
export type Exposure = {
  experimentId: string;
  contactId: ContactId;
  accountId: AccountId;
  arm: string;
  at: number;
};

// Whoever names an experiment of another account, or an arm that there is not, counts nowhere.
const ADD = statement(
  'exposure_add',
  `insert into experiment_exposures (bucket, experiment_id, contact_id, account_id, arm, at)
   select v.bucket, v.experiment_id, v.contact_id, v.account_id, v.arm, v.at
     from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[],
                 $6::timestamptz[]) v (bucket, experiment_id, contact_id, account_id, arm, at)
     join experiments e on e.id = v.experiment_id and e.account_id = v.account_id
      and e.state = 'running' and e.arms @> jsonb_build_array(jsonb_build_object('name', v.arm))
   on conflict (bucket, contact_id, experiment_id) do nothing`,
);

/** The first one of a person stays; a second one changes nothing. */
export const exposureRows: RowStore<Exposure> = {
  async saveAll(tx, rows) {
    await tx.run(ADD, [
      rows.map(({ contactId }) => bucketOf(contactId)),
      rows.map(({ experimentId }) => experimentId),
      rows.map(({ contactId }) => contactId),
      rows.map(({ accountId }) => accountId),
      rows.map(({ arm }) => arm),
      rows.map((row) => at(row.at)),
    ]);
  },
};

// Whatever happened to the person in time counts, by this request or by another one: the arms
// were drawn by chance, so what has nothing to do with them is the same in all of them.
const FOLLOW = statement(
  'exposure_follow',
  `update experiment_exposures x
      set (granted, answered, completed, satisfied, opted_out) = (
            select coalesce(bool_or(l.type = 'PermissionGranted'), false),
                   coalesce(bool_or(l.type = 'CallAnswered'), false),
                   coalesce(bool_or(l.type = 'CallEnded'
                                    and l.data ->> 'outcome' = 'completed'), false),
                   coalesce(bool_or(l.type = 'SurveyAnswered'
                                    and l.data ->> 'score' in ('4', '5')), false),
                   coalesce(bool_or(l.type = 'OptedOut'), false)
              from ledger l
             where l.bucket = x.bucket and l.contact_id = x.contact_id and l.at >= x.at
               and l.at < x.at + $3 * interval '1 hour'),
          counted_at = case when x.at <= $2::timestamptz - $3 * interval '1 hour'
                            then $2::timestamptz end
    where x.experiment_id = $1 and x.counted_at is null and x.contact_id is not null
      and x.bucket between $4 and $5`,
);

/** Brings what came of the people up to now; who has had the whole time is counted from here on. */
export async function followExposures(
  tx: Tx,
  experimentId: ExperimentId,
  { now, windowHours }: { now: number; windowHours: number },
): Promise<void> {
  for (const [first, last] of bucketSpans()) {
    await tx.run(FOLLOW, [experimentId, at(now), windowHours, first, last]);
  }
}

type CountRow = { arm: string; exposed: number; counted: number; hits: number; opted_out: number };

const COUNT = statement<CountRow>(
  'exposure_count',
  `select arm, count(*) as exposed, count(counted_at) as counted,
          count(*) filter (where counted_at is not null and case $2::text
            when 'granted' then granted when 'answered' then answered
            when 'completed' then completed when 'satisfied' then satisfied
            else opted_out end) as hits,
          count(*) filter (where opted_out) as opted_out
     from experiment_exposures where experiment_id = $1 group by arm`,
);

/** What is known of each arm that anybody came into. */
export async function countArms(
  db: Queryable,
  experimentId: ExperimentId,
  metric: ExperimentMetric,
): Promise<ArmCount[]> {
  const rows = await db.run(COUNT, [experimentId, metric]);
  return rows.map(({ opted_out: optedOut, ...count }) => ({ ...count, optedOut }));
}

// Nobody is left to follow, so what is known by now is what counts.
const FORGET = statement(
  'exposure_forget',
  `update experiment_exposures
      set contact_id = null, counted_at = coalesce(counted_at, $3::timestamptz)
    where bucket = $1 and contact_id = $2`,
);

/** Drops the link to an erased person; the counts stay as they are. */
export async function forgetExposures(tx: Tx, contactId: ContactId, now: number): Promise<void> {
  await tx.run(FORGET, [bucketOf(contactId), contactId, at(now)]);
}

const OF_CONTACT = statement<{ experiment_id: string; name: string; arm: string; at: number }>(
  'exposure_of_contact',
  `select x.experiment_id, e.name, x.arm, x.at from experiment_exposures x
     join experiments e on e.id = x.experiment_id
    where x.bucket = $1 and x.contact_id = $2 order by x.at`,
);

/** The experiments that a person took part in, for their copy. */
export async function exposuresOfContact(
  db: Queryable,
  contactId: ContactId,
): Promise<{ experimentId: string; name: string; arm: string; at: number }[]> {
  const rows = await db.run(OF_CONTACT, [bucketOf(contactId), contactId]);
  return rows.map(({ experiment_id: experimentId, ...rest }) => ({ experimentId, ...rest }));
}

const LOOK_ADD = statement(
  'experiment_look_add',
  `insert into experiment_looks (experiment_id, number, at, arms)
   select $1, count(*) + 1, $2, $3 from experiment_looks where experiment_id = $1`,
);
const LOOKS = statement<Look>(
  'experiment_looks_of',
  'select at, arms from experiment_looks where experiment_id = $1 order by number limit 1000',
);

/** Writes what was counted at a look; the experiment is locked. */
export async function addLook(tx: Tx, experimentId: ExperimentId, look: Look): Promise<void> {
  await tx.run(LOOK_ADD, [experimentId, at(look.at), JSON.stringify(look.arms)]);
}

export async function looksOf(db: Queryable, experimentId: ExperimentId): Promise<Look[]> {
  return db.run(LOOKS, [experimentId]);
}
