import { statement, type Queryable, type Tx } from '../database/database.ts';
import type { CallStrategy } from '../http/api-types.ts';
import type { EndpointCodec } from '../media/media.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { Endpoint, EndpointMeanwhile, EndpointSrtp } from './endpoint.ts';

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
};

const COLUMNS = `id, account_id, name, uri, username, password, codecs, strategy, ring_timeout_ms,
  srtp, meanwhile`;

const BY_ID = statement<EndpointRow>(
  'endpoint_by_id',
  `select ${COLUMNS} from endpoints where id = $1 and account_id = $2`,
);

/** An endpoint as it is stored: the password is still sealed. */
export type StoredEndpoint = Omit<Endpoint, 'password'> & { password: Buffer | null };

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

const SAVE = statement<{ id: EndpointId }>(
  'endpoint_save',
  `insert into endpoints (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
   on conflict (account_id, name) do update
     set uri = excluded.uri, username = excluded.username, password = excluded.password,
         codecs = excluded.codecs, strategy = excluded.strategy,
         ring_timeout_ms = excluded.ring_timeout_ms, srtp = excluded.srtp,
         meanwhile = excluded.meanwhile
   returning id`,
);

/** Adds an endpoint, or replaces the account's endpoint of the same name. */
export async function saveEndpoint(
  tx: Tx,
  sealer: Sealer,
  endpoint: Endpoint,
): Promise<EndpointId> {
  const row = await tx.first(SAVE, [
    endpoint.id,
    endpoint.accountId,
    endpoint.name,
    endpoint.uri,
    endpoint.username,
    endpoint.password === null ? null : sealer.seal(endpoint.password),
    endpoint.codecs,
    endpoint.strategy,
    endpoint.ringTimeoutMs,
    endpoint.srtp,
    endpoint.meanwhile,
  ]);
  return row?.id ?? endpoint.id;
}

/** Opens the password: only right before the endpoint is called. */
export function openEndpoint(endpoint: StoredEndpoint, sealer: Sealer): Endpoint {
  const { password } = endpoint;
  return { ...endpoint, password: password === null ? null : sealer.open(password) };
}

function toEndpoint(row: EndpointRow): StoredEndpoint {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    uri: row.uri,
    username: row.username,
    password: row.password,
    codecs: row.codecs,
    strategy: row.strategy,
    ringTimeoutMs: row.ring_timeout_ms,
    srtp: row.srtp,
    meanwhile: row.meanwhile,
  };
}
