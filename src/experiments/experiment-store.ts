import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import type { Arm, ExperimentState, Slots } from './assignment.ts';
import type { Experiment, ExperimentId, ExperimentPlan } from './experiment.ts';

type Row = {
  id: ExperimentId;
  account_id: AccountId;
  name: string;
  state: ExperimentState;
  layer: string;
  key: Buffer;
  layer_key: Buffer;
  slots: Slots[];
  arms: Arm[];
  plan: ExperimentPlan;
  stopped_arms: { arm: string; at: number }[];
  winner: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  sample_ratio_alarm_at: number | null;
  result_at: number | null;
};

const COLUMNS = `id, account_id, name, state, layer, key, layer_key, slots, arms, plan,
  stopped_arms, winner, created_at, started_at, ended_at, sample_ratio_alarm_at, result_at`;

const LAYER_MAKE = statement(
  'experiment_layer_make',
  `insert into experiment_layers (account_id, name, key) values ($1, $2, $3)
   on conflict (account_id, name) do nothing`,
);
const LAYER_LOCK = statement<{ key: Buffer }>(
  'experiment_layer_lock',
  'select key from experiment_layers where account_id = $1 and name = $2 for update',
);

/** The key of a layer, made where there is none; held, so that nobody else divides it now. */
export async function lockLayer(
  tx: Tx,
  accountId: AccountId,
  name: string,
  newKey: Uint8Array,
): Promise<Uint8Array> {
  await tx.run(LAYER_MAKE, [accountId, name, Buffer.from(newKey)]);
  return (await tx.first(LAYER_LOCK, [accountId, name]))?.key ?? newKey;
}

const SENDING = statement<{ name: string }>(
  'experiment_sending',
  `select name from experiments
    where account_id = $1 and state in ('draft', 'running')
      and exists (select from jsonb_array_elements(arms) arm
                   where arm -> 'overrides' ->> 'template' = $2
                     and coalesce(arm -> 'overrides' ->> 'language' = $3, $4))
    order by id limit 5`,
);

/** Names of experiments that go on, or may, and ask with that template in one of their arms. */
export async function experimentsThatSend(
  db: Queryable,
  accountId: AccountId,
  { name, language, isOnly }: { name: string; language: string; isOnly: boolean },
): Promise<string[]> {
  return (await db.run(SENDING, [accountId, name, language, isOnly])).map((row) => row.name);
}

const SLOTS_TAKEN = statement<{ slots: Slots[] }>(
  'experiment_slots_taken',
  `select slots from experiments where account_id = $1 and layer = $2 and state = 'running'`,
);

/** What the running experiments of a layer have of it. */
export async function takenSlots(
  tx: Tx,
  { accountId, layer }: Pick<Experiment, 'accountId' | 'layer'>,
): Promise<Slots[]> {
  return (await tx.run(SLOTS_TAKEN, [accountId, layer])).flatMap(({ slots }) => slots);
}

const SAVE = statement(
  'experiment_save',
  `insert into experiments (${COLUMNS}, look_due_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
   on conflict (id) do update set state = excluded.state, slots = excluded.slots,
     stopped_arms = excluded.stopped_arms, winner = excluded.winner,
     started_at = excluded.started_at, ended_at = excluded.ended_at,
     sample_ratio_alarm_at = excluded.sample_ratio_alarm_at, result_at = excluded.result_at,
     look_due_at = excluded.look_due_at`,
);

/** Writes an experiment as it is now, and when it is to be looked at next, if at all. */
export async function saveExperiment(
  tx: Tx,
  experiment: Experiment,
  lookDueAt: number | null,
): Promise<void> {
  const { id, accountId, name, state, layer, key, layerKey, slots, arms, plan } = experiment;
  await tx.run(SAVE, [
    id,
    accountId,
    name,
    state,
    layer,
    Buffer.from(key),
    Buffer.from(layerKey),
    JSON.stringify(slots),
    JSON.stringify(arms),
    JSON.stringify(plan),
    JSON.stringify(experiment.stops),
    experiment.winner,
    at(experiment.createdAt),
    at(experiment.startedAt),
    at(experiment.endedAt),
    at(experiment.sampleRatioAlarmAt),
    at(experiment.resultAt),
    at(lookDueAt),
  ]);
}

const READ = statement<Row>(
  'experiment_read',
  `select ${COLUMNS} from experiments where id = $1 and account_id = $2`,
);

/** One experiment of an account; whoever assigns by it passes it to `armOf`. */
export async function readExperiment(
  db: Queryable,
  accountId: AccountId,
  id: string,
): Promise<Experiment | null> {
  const row = await db.first(READ, [id, accountId]);
  return row === undefined ? null : experimentIn(row);
}

const LOCK = statement<Row>(
  'experiment_lock',
  `select ${COLUMNS} from experiments where id = $1 and account_id = $2 for update`,
);

export async function lockExperiment(
  tx: Tx,
  accountId: AccountId,
  id: string,
): Promise<Experiment | null> {
  const row = await tx.first(LOCK, [id, accountId]);
  return row === undefined ? null : experimentIn(row);
}

const LIST = statement<Row>(
  'experiment_list',
  `select ${COLUMNS} from experiments
    where account_id = $1 and ($2::text is null or id < $2) order by id desc limit $3`,
);

export async function listExperiments(
  db: Queryable,
  accountId: AccountId,
  page: { after: string | null; limit: number },
): Promise<Experiment[]> {
  return (await db.run(LIST, [accountId, page.after, page.limit])).map(experimentIn);
}

const DUE = statement<{ id: ExperimentId; account_id: AccountId }>(
  'experiment_due',
  `update experiments set look_due_at = $2 where id in (
     select id from experiments where look_due_at <= $1
      order by look_due_at limit $3 for update skip locked)
   returning id, account_id`,
);

/** Takes those to be looked at, and puts their next time ahead; a crash costs only that. */
export async function claimDue(
  db: Queryable,
  now: number,
  { nextAt, limit }: { nextAt: number; limit: number },
): Promise<{ id: ExperimentId; accountId: AccountId }[]> {
  const rows = await db.run(DUE, [at(now), at(nextAt), limit]);
  return rows.map(({ id, account_id: accountId }) => ({ id, accountId }));
}

function experimentIn(row: Row): Experiment {
  const { id, account_id: accountId, name, state, layer, key, slots, arms, plan, winner } = row;
  return {
    id,
    accountId,
    name,
    state,
    layer,
    key,
    layerKey: row.layer_key,
    slots,
    arms,
    plan,
    winner,
    stops: row.stopped_arms,
    stoppedArms: row.stopped_arms.map(({ arm }) => arm),
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    sampleRatioAlarmAt: row.sample_ratio_alarm_at,
    resultAt: row.result_at,
  };
}
