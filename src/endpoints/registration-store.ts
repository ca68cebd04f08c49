import { at, statement, type Queryable } from '../database/database.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { Registration } from './registration.ts';

/** What gateways said of their registrations, as rows: any process may be asked for them. */
export type StoredRegistration = Pick<
  Registration,
  'state' | 'since' | 'status' | 'reason' | 'expiresAt'
> & { endpointId: EndpointId; uri: string; node: string };

const SAVE = statement(
  'endpoint_registration_save',
  `insert into endpoint_registrations
     (endpoint_id, uri, node, state, since, status, reason, expires_at)
   select id, $2, $3, $4, $5, $6, $7, $8 from endpoints where id = $1
   on conflict (endpoint_id, uri, node) do update
     set state = excluded.state, since = excluded.since, status = excluded.status,
         reason = excluded.reason, expires_at = excluded.expires_at`,
);

/** Writes the newest word; nothing where the endpoint has gone. */
export async function saveRegistration(db: Queryable, row: StoredRegistration): Promise<void> {
  const { endpointId, uri, node, state, since, status, reason, expiresAt } = row;
  const until = expiresAt === null ? null : at(expiresAt);
  await db.run(SAVE, [endpointId, uri, node, state, at(since), status, reason, until]);
}

const FORGET = statement(
  'endpoint_registration_forget',
  'delete from endpoint_registrations where endpoint_id = $1 and uri = $2 and node = $3',
);

export async function forgetRegistration(
  db: Queryable,
  { endpointId, uri, node }: Pick<StoredRegistration, 'endpointId' | 'uri' | 'node'>,
): Promise<void> {
  await db.run(FORGET, [endpointId, uri, node]);
}

type Row = {
  endpoint_id: EndpointId;
  uri: string;
  node: string;
  state: Registration['state'];
  since: number;
  status: number;
  reason: string;
  expires_at: number | null;
};

const OF_ENDPOINT = statement<Row>(
  'endpoint_registrations_of',
  `select endpoint_id, uri, node, state, since, status, reason, expires_at
     from endpoint_registrations where endpoint_id = $1 order by uri, node`,
);

export async function registrationsOf(
  db: Queryable,
  endpointId: EndpointId,
): Promise<StoredRegistration[]> {
  return (await db.run(OF_ENDPOINT, [endpointId])).map((row) => ({
    endpointId: row.endpoint_id,
    uri: row.uri,
    node: row.node,
    state: row.state,
    since: row.since,
    status: row.status,
    reason: row.reason,
    expiresAt: row.expires_at,
  }));
}
