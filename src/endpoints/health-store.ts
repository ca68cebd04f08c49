import { at, statement, type Queryable } from '../database/database.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { TargetHealth } from './health.ts';

/** What the checks found, as rows: any process may be asked, only gateways check. */
export type StoredHealth = Omit<TargetHealth, 'against'> & { endpointId: EndpointId; uri: string };

const SAVE = statement(
  'endpoint_health_save',
  `insert into endpoint_health
     (endpoint_id, uri, state, since, checked_at, status, reason, round_trip_ms)
   select v.* from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[],
       $5::timestamptz[], $6::int[], $7::text[], $8::int[])
       v (endpoint_id, uri, state, since, checked_at, status, reason, round_trip_ms)
     join endpoints e on e.id = v.endpoint_id
   on conflict (endpoint_id, uri) do update
     set state = excluded.state, since = excluded.since, checked_at = excluded.checked_at,
         status = excluded.status, reason = excluded.reason,
         round_trip_ms = excluded.round_trip_ms`,
);

/** Writes the newest word on targets; those of an endpoint that has gone are left out. */
export async function saveHealth(db: Queryable, rows: readonly StoredHealth[]): Promise<void> {
  if (rows.length === 0) return;
  await db.run(SAVE, [
    rows.map(({ endpointId }) => endpointId),
    rows.map(({ uri }) => uri),
    rows.map(({ state }) => state),
    rows.map(({ since }) => at(since)),
    rows.map(({ checkedAt }) => at(checkedAt)),
    rows.map(({ status }) => status),
    rows.map(({ reason }) => reason.slice(0, 200)),
    rows.map(({ roundTripMs }) => (roundTripMs === null ? null : Math.round(roundTripMs))),
  ]);
}

type HealthRow = {
  endpoint_id: EndpointId;
  uri: string;
  state: TargetHealth['state'];
  since: number;
  checked_at: number;
  status: number;
  reason: string;
  round_trip_ms: number | null;
};

const READ = statement<HealthRow>(
  'endpoint_health_read',
  `select endpoint_id, uri, state, since, checked_at, status, reason, round_trip_ms
     from endpoint_health where endpoint_id = any ($1::text[]) order by endpoint_id, uri`,
);

export async function readHealth(
  db: Queryable,
  endpointIds: readonly EndpointId[],
): Promise<StoredHealth[]> {
  return (await db.run(READ, [endpointIds])).map((row) => ({
    endpointId: row.endpoint_id,
    uri: row.uri,
    state: row.state,
    since: row.since,
    checkedAt: row.checked_at,
    status: row.status,
    reason: row.reason,
    roundTripMs: row.round_trip_ms,
  }));
}

const COUNT = statement<{ state: TargetHealth['state']; targets: number }>(
  'endpoint_health_count',
  `select state, count(*)::int as targets from endpoint_health group by state`,
);

/** How many targets are in each state, for the metrics. */
export async function countHealth(db: Queryable): Promise<Map<TargetHealth['state'], number>> {
  return new Map((await db.run(COUNT)).map(({ state, targets }) => [state, targets]));
}
