import { DEFAULT_RETURN_MS, type AgentOptions } from '../agents/agent.ts';
import { statement, type Queryable, type Tx } from '../database/database.ts';
import type { CallStrategy } from '../http/api-types.ts';
import type { EndpointCodec } from '../media/media.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';
import {
  DEFAULT_OPTIONS,
  type Endpoint,
  type EndpointMeanwhile,
  type EndpointOptions,
  type EndpointSrtp,
  type EndpointTarget,
} from './endpoint.ts';

/** A target in its row: the password sealed, as base64. */
type TargetRow = Omit<EndpointTarget, 'password'> & { password: string | null };

/** Rows from before `returnMs` do not have it. */
type StoredOptions = Partial<Omit<EndpointOptions, 'agents'>> & {
  agents?: Omit<AgentOptions, 'returnMs'> & Partial<Pick<AgentOptions, 'returnMs'>>;
};

type EndpointRow = {
  id: EndpointId;
  account_id: AccountId;
  name: string;
  uri: string;
  username: string | null;
  password: Buffer | null;
  codecs: EndpointCodec[];
  strategy: CallStrategy;
  ring_timeout_ms: number;
  srtp: EndpointSrtp;
  meanwhile: EndpointMeanwhile;
  targets: TargetRow[];
  options: StoredOptions;
  max_calls: number | null;
  minutes_per_day: number | null;
};

const COLUMNS = `id, account_id, name, uri, username, password, codecs, strategy, ring_timeout_ms,
  srtp, meanwhile, targets, options, max_calls, minutes_per_day`;

const BY_ID = statement<EndpointRow>(
  'endpoint_by_id',
  `select ${COLUMNS} from endpoints where id = $1 and account_id = $2`,
);

/** A target as it is stored: the password is still sealed. */
export type StoredTarget = Omit<EndpointTarget, 'password'> & { password: Buffer | null };
export type StoredEndpoint = Omit<Endpoint, 'targets'> & { targets: readonly StoredTarget[] };

export async function readEndpoint(
  db: Queryable,
  accountId: AccountId,
  id: EndpointId,
): Promise<StoredEndpoint | null> {
  const row = await db.first(BY_ID, [id, accountId]);
  return row === undefined ? null : toEndpoint(row);
}

const BY_IDS = statement<EndpointRow>(
  'endpoint_by_ids',
  `select ${COLUMNS} from endpoints where id = any ($1::text[])`,
);

export async function readEndpoints(
  db: Queryable,
  ids: readonly EndpointId[],
): Promise<StoredEndpoint[]> {
  return (await db.run(BY_IDS, [ids])).map(toEndpoint);
}

const OF_ACCOUNT = statement<EndpointRow>(
  'endpoint_of_account',
  `select ${COLUMNS} from endpoints where account_id = $1 order by id`,
);

export async function listEndpoints(
  db: Queryable,
  accountId: AccountId,
): Promise<StoredEndpoint[]> {
  return (await db.run(OF_ACCOUNT, [accountId])).map(toEndpoint);
}

const ALL = statement<EndpointRow>(
  'endpoint_all',
  `select ${COLUMNS} from endpoints where id > $1 order by id limit $2`,
);

/** The endpoints of all accounts by id, a page at a time: for their health checks. */
export async function pageOfEndpoints(
  db: Queryable,
  after: string,
  limit: number,
): Promise<StoredEndpoint[]> {
  return (await db.run(ALL, [after, limit])).map(toEndpoint);
}

const REGISTERING = statement<EndpointRow>(
  'endpoint_registering',
  `select ${COLUMNS} from endpoints where options @> '{"register": true}' order by id limit 500`,
);

/** The endpoints of all accounts at which gateways register. */
export async function registeringEndpoints(db: Queryable): Promise<StoredEndpoint[]> {
  return (await db.run(REGISTERING)).map(toEndpoint);
}

const SAVE = statement<{ id: EndpointId }>(
  'endpoint_save',
  `insert into endpoints (${COLUMNS})
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
   on conflict (account_id, name) do update
     set uri = excluded.uri, username = excluded.username, password = excluded.password,
         codecs = excluded.codecs, strategy = excluded.strategy,
         ring_timeout_ms = excluded.ring_timeout_ms, srtp = excluded.srtp,
         meanwhile = excluded.meanwhile, targets = excluded.targets, options = excluded.options,
         max_calls = excluded.max_calls, minutes_per_day = excluded.minutes_per_day
   returning id`,
);

const REPLACE = statement<{ id: EndpointId }>(
  'endpoint_replace',
  `update endpoints e
      set name = $3, uri = $4, username = $5, password = $6, codecs = $7, strategy = $8,
          ring_timeout_ms = $9, srtp = $10, meanwhile = $11, targets = $12, options = $13,
          max_calls = $14, minutes_per_day = $15
    where id = $1 and account_id = $2
      and not exists (select 1 from endpoints o
                       where o.account_id = $2 and o.name = $3 and o.id <> e.id)
   returning id`,
);

const DELETE = statement<{ id: EndpointId }>(
  'endpoint_delete',
  'delete from endpoints where id = $1 and account_id = $2 returning id',
);

type OneTarget = Pick<EndpointTarget, 'uri' | 'username' | 'password' | 'srtp'>;
type Optional = Pick<Endpoint, 'options' | 'maxCalls' | 'minutesPerDay'>;

/** An endpoint to be saved: with one address, or with several; what is left out is as usual. */
export type NewEndpoint = Omit<Endpoint, 'uri' | 'targets' | keyof Optional> &
  Partial<Optional> &
  (OneTarget | { targets: readonly EndpointTarget[] });

/** Adds an endpoint, or replaces the account's endpoint of the same name. */
export async function saveEndpoint(
  tx: Tx,
  sealer: Sealer,
  endpoint: NewEndpoint,
): Promise<EndpointId> {
  return (await tx.first(SAVE, valuesOf(sealer, endpoint)))?.id ?? endpoint.id;
}

/** Replaces an endpoint that is there, its name too; false where another one has the name. */
export async function replaceEndpoint(
  tx: Tx,
  sealer: Sealer,
  endpoint: NewEndpoint,
): Promise<boolean> {
  return (await tx.first(REPLACE, valuesOf(sealer, endpoint))) !== undefined;
}

/** Takes an endpoint away, and with it what is known of its health. */
export async function deleteEndpoint(
  tx: Tx,
  { id, accountId }: Pick<Endpoint, 'id' | 'accountId'>,
): Promise<void> {
  await tx.run(DELETE, [id, accountId]);
}

/** In the order of `COLUMNS`; passwords are sealed. */
function valuesOf(sealer: Sealer, endpoint: NewEndpoint): unknown[] {
  const several = 'targets' in endpoint ? endpoint.targets : [];
  const first: OneTarget | undefined = 'targets' in endpoint ? endpoint.targets[0] : endpoint;
  if (first === undefined) throw new RangeError('an endpoint needs a target');
  const sealed = (password: string | null): Buffer | null =>
    password === null ? null : sealer.seal(password);
  const targets: TargetRow[] = several.map((target) => ({
    ...target,
    password: sealed(target.password)?.toString('base64') ?? null,
  }));
  return [
    endpoint.id,
    endpoint.accountId,
    endpoint.name,
    first.uri,
    first.username,
    sealed(first.password),
    endpoint.codecs,
    endpoint.strategy,
    endpoint.ringTimeoutMs,
    first.srtp,
    endpoint.meanwhile,
    JSON.stringify(targets),
    JSON.stringify(endpoint.options ?? {}),
    endpoint.maxCalls ?? null,
    endpoint.minutesPerDay ?? null,
  ];
}

/** Opens the passwords: only right before the endpoint is called. */
export function openEndpoint(endpoint: StoredEndpoint, sealer: Sealer): Endpoint {
  const targets = endpoint.targets.map((target) => openTarget(target, sealer));
  return { ...endpoint, targets };
}

/** Opens the password of one target. */
export function openTarget(target: StoredTarget, sealer: Sealer): EndpointTarget {
  const { password } = target;
  return { ...target, password: password === null ? null : sealer.open(password) };
}

function toEndpoint(row: EndpointRow): StoredEndpoint {
  const { uri, username, password, srtp } = row;
  const one: StoredTarget = { uri, priority: 0, weight: 1, username, password, srtp };
  const several = row.targets.map((target) => ({
    ...target,
    password: target.password === null ? null : Buffer.from(target.password, 'base64'),
  }));
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    uri,
    targets: several.length === 0 ? [one] : several,
    codecs: row.codecs,
    strategy: row.strategy,
    ringTimeoutMs: row.ring_timeout_ms,
    meanwhile: row.meanwhile,
    options: optionsOf(row.options),
    maxCalls: row.max_calls,
    minutesPerDay: row.minutes_per_day,
  };
}

function optionsOf({ agents, ...stored }: StoredOptions): EndpointOptions {
  const options = { ...DEFAULT_OPTIONS, ...stored };
  return agents === undefined
    ? options
    : { ...options, agents: { ...agents, returnMs: agents.returnMs ?? DEFAULT_RETURN_MS } };
}
