import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, Id, Ids } from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';

/** Where a business wants its events. Secrets are sealed; only the delivery opens them. */
export type WebhookEndpointId = Id<'webhook'>;

export type WebhookEndpoint = {
  id: WebhookEndpointId;
  accountId: AccountId;
  url: string;
  /** Empty: all types. */
  eventTypes: string[];
  enabled: boolean;
  disabledReason: string | null;
  createdAt: number;
};

type EndpointRow = {
  id: WebhookEndpointId;
  account_id: AccountId;
  url: string;
  secret: Buffer;
  event_types: string[];
  enabled: boolean;
  disabled_reason: string | null;
  created_at: number;
};

const COLUMNS = 'id, account_id, url, secret, event_types, enabled, disabled_reason, created_at';

const INSERT = statement(
  'webhook_endpoints_insert',
  `insert into webhook_endpoints (id, account_id, url, secret, event_types, created_at)
   values ($1, $2, $3, $4, $5, $6)`,
);
const LIST = statement<EndpointRow>(
  'webhook_endpoints_list',
  `select ${COLUMNS} from webhook_endpoints where account_id = $1 order by id`,
);
const READ = statement<EndpointRow>(
  'webhook_endpoints_read',
  `select ${COLUMNS} from webhook_endpoints where account_id = $1 and id = $2`,
);
const LOCK = statement<EndpointRow>(
  'webhook_endpoints_lock',
  `select ${COLUMNS} from webhook_endpoints where account_id = $1 and id = $2 for update`,
);
const DELETE = statement<{ id: string }>(
  'webhook_endpoints_delete',
  'delete from webhook_endpoints where account_id = $1 and id = $2 returning id',
);
const DELETE_DELIVERIES = statement(
  'webhook_endpoints_delete_deliveries',
  'delete from deliveries where webhook_id = $1',
);
const SET_SECRET = statement(
  'webhook_endpoints_set_secret',
  'update webhook_endpoints set secret = $2 where id = $1',
);
const CHANGE = statement<EndpointRow>(
  'webhook_endpoints_change',
  `update webhook_endpoints
      set url = coalesce($3::text, url), event_types = coalesce($4::text[], event_types)
    where account_id = $1 and id = $2 returning ${COLUMNS}`,
);
const DISABLE = statement<{ id: string }>(
  'webhook_endpoints_disable',
  `update webhook_endpoints set enabled = false, disabled_reason = $2
   where id = $1 and enabled returning id`,
);
const ENABLE = statement(
  'webhook_endpoints_enable',
  'update webhook_endpoints set enabled = true, disabled_reason = null where id = $1',
);
/** Waiting deliveries of a disabled endpoint leave the queue, where they would be in the way. */
const HOLD = statement(
  'webhook_endpoints_hold',
  `update deliveries set status = 'held' where webhook_id = $1 and status = 'pending'`,
);
const RELEASE = statement(
  'webhook_endpoints_release',
  `update deliveries set status = 'pending', next_attempt_at = $2
   where webhook_id = $1 and status = 'held'`,
);

/** Adds an endpoint; `secret` is a `whsec_` text and leaves this process only sealed. */
export async function createWebhookEndpoint(
  queryable: Queryable,
  spec: {
    accountId: AccountId;
    url: string;
    eventTypes: readonly string[];
    secret: string;
    now: number;
  },
  from: { ids: Ids; sealer: Sealer },
): Promise<WebhookEndpoint> {
  const id = from.ids.next('webhook');
  const { accountId, url, eventTypes, secret, now } = spec;
  const sealed = from.sealer.seal(secret);
  await queryable.run(INSERT, [id, accountId, url, sealed, eventTypes, at(now)]);
  return {
    id,
    accountId,
    url,
    eventTypes: [...eventTypes],
    enabled: true,
    disabledReason: null,
    createdAt: now,
  };
}

export async function listWebhookEndpoints(
  queryable: Queryable,
  accountId: AccountId,
): Promise<WebhookEndpoint[]> {
  return (await queryable.run(LIST, [accountId])).map(fromRow);
}

/** The endpoint with its sealed secrets, if the account has it. */
export async function readWebhookEndpoint(
  queryable: Queryable,
  accountId: AccountId,
  id: string,
): Promise<{ endpoint: WebhookEndpoint; sealed: Buffer } | null> {
  const row = await queryable.first(READ, [accountId, id]);
  return row === undefined ? null : { endpoint: fromRow(row), sealed: row.secret };
}

/**
 * Changes where events go or which ones, leaving out what is to stay; null if there is no such
 * endpoint. What waits goes to the new address: it was meant for the receiver, not for the place.
 */
export async function changeWebhookEndpoint(
  queryable: Queryable,
  change: {
    accountId: AccountId;
    id: string;
    url: string | null;
    eventTypes: readonly string[] | null;
  },
): Promise<WebhookEndpoint | null> {
  const { accountId, id, url, eventTypes } = change;
  const row = await queryable.first(CHANGE, [accountId, id, url, eventTypes]);
  return row === undefined ? null : fromRow(row);
}

/** Deletes the endpoint and everything still to be delivered to it; false if there is none. */
export async function deleteWebhookEndpoint(
  tx: Tx,
  accountId: AccountId,
  id: string,
): Promise<boolean> {
  if ((await tx.first(DELETE, [accountId, id])) === undefined) return false;
  await tx.run(DELETE_DELIVERIES, [id]);
  return true;
}

/** Puts a new secret in front; the ones before go on signing until `previousUntil`. */
export async function rotateSecret(
  tx: Tx,
  spec: {
    accountId: AccountId;
    id: string;
    secret: string;
    now: number;
    previousUntil: number;
  },
  sealer: Sealer,
): Promise<boolean> {
  const row = await tx.first(LOCK, [spec.accountId, spec.id]);
  if (row === undefined) return false;
  // Only the newest of the old ones stays, or the list would grow with every rotation.
  const [previous] = secretsIn(sealer.open(row.secret), spec.now);
  const text =
    previous === undefined ? spec.secret : `${spec.secret} ${previous}@${spec.previousUntil}`;
  await tx.run(SET_SECRET, [row.id, sealer.seal(text)]);
  return true;
}

/** Turns an endpoint off and sets its waiting deliveries aside; false if it was off already. */
export async function disableWebhookEndpoint(tx: Tx, id: string, reason: string): Promise<boolean> {
  if ((await tx.first(DISABLE, [id, reason])) === undefined) return false;
  await tx.run(HOLD, [id]);
  return true;
}

/** Turns an endpoint on again; what was set aside is due at once. */
export async function enableWebhookEndpoint(tx: Tx, id: string, now: number): Promise<void> {
  await tx.run(ENABLE, [id]);
  await tx.run(RELEASE, [id, at(now)]);
}

/** The secrets that sign at `now`: `whsec_…` and, while rotating, `whsec_…@<valid until, ms>`. */
export function secretsIn(opened: string, now: number): string[] {
  return opened.split(' ').flatMap((part) => {
    const [secret, until] = part.split('@');
    return secret === undefined || (until !== undefined && Number(until) <= now) ? [] : [secret];
  });
}

function fromRow(row: EndpointRow): WebhookEndpoint {
  return {
    id: row.id,
    accountId: row.account_id,
    url: row.url,
    eventTypes: row.event_types,
    enabled: row.enabled,
    disabledReason: row.disabled_reason,
    createdAt: row.created_at,
  };
}
