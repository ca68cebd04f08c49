import { statement, type Queryable } from '../database/database.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';
import type { RouteRule, Routing } from './routing.ts';

type RoutingRow = { rules: RouteRule[]; default_endpoint_id: EndpointId | null };

const READ = statement<RoutingRow>(
  'routing_read',
  'select rules, default_endpoint_id from routings where account_id = $1',
);

/** The account's rules; none where it has set none. */
export async function readRouting(db: Queryable, accountId: AccountId): Promise<Routing> {
  const row = await db.first(READ, [accountId]);
  return { rules: row?.rules ?? [], defaultEndpointId: row?.default_endpoint_id ?? null };
}

const SAVE = statement(
  'routing_save',
  `insert into routings (account_id, rules, default_endpoint_id) values ($1, $2, $3)
   on conflict (account_id) do update
     set rules = excluded.rules, default_endpoint_id = excluded.default_endpoint_id`,
);

/** Replaces the account's rules; they hold from the next call on. */
export async function saveRouting(
  db: Queryable,
  accountId: AccountId,
  { rules, defaultEndpointId }: Routing,
): Promise<void> {
  await db.run(SAVE, [accountId, JSON.stringify(rules), defaultEndpointId]);
}
