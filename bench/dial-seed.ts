import { Client } from 'pg';

import { CALL_FIELDS } from '../src/calls/call-store.ts';
import { queuedCall, type CallState } from '../src/calls/call.ts';
import {
  initialConsent,
  type ConsentPermission,
  type ConsentState,
} from '../src/consent/consent.ts';
import { CONSENT_FIELDS, type PermissionRow } from '../src/consent/consent-store.ts';
import { makeIds, type AccountId, type EndpointId, type LineId } from '../src/platform/ids.ts';
import { systemClock } from '../src/platform/clock.ts';
import { makePolicyPacks, type PolicyPacks } from '../src/policy/policy-packs.ts';
import type { PolicyPack } from '../src/policy/policy-pack.ts';
import { systemRandom } from '../src/platform/random.ts';
import { divide } from '../src/platform/divide.ts';
import type { SubjectKey, Vault } from '../src/platform/vault.ts';

/**
 * The world of bench/dial.ts: so many people who said yes, each with one queued call far in the
 * future, written by SQL alone. Calls are then made due in an order that jumps through all
 * tables, as calls of real people do, because neighbours in time are not neighbours in a table.
 */
export type DialSeed = {
  total: number;
  /** Who the calls belong to; each has as many as the others. */
  owners: readonly Owner[];
  /**
   * Makes the next `count` calls of an owner (the first one unless given) due, the n-th one at
   * `from + n * spacingMs` (ms since 1970).
   */
  makeDue(count: number, from: number, spacingMs: number, owner?: number): Promise<void>;
  close(): Promise<void>;
};

const DAY_MS = 86_400_000;
const PURPOSE = 'your order 1042';
const CHUNK = 50_000;
/** Larger than any table and prime, so that stepping by it visits every row once. */
const STRIDE = 15_485_863;
/** The id of the i-th row, with its bucket: as `makeIds` makes them, but from a number. */
const ID_OF = `create function seed_id(kind text, i bigint, at_ms bigint) returns text
  language sql immutable parallel safe as $$
    select kind || '_' || lpad(to_hex((at_ms + i / 64) >> 16), 8, '0') || '-'
        || lpad(to_hex((at_ms + i / 64) & 65535), 4, '0') || '-7000-'
        || to_hex(128 + (i % 64)) || lpad(to_hex(i % 251), 2, '0') || '-'
        || lpad(to_hex(i), 12, '0') $$`;

export async function seedDial(
  connectionString: string,
  vault: Vault,
  total: number,
  accounts = 1,
): Promise<DialSeed> {
  const client = new Client({ connectionString });
  await client.connect();
  const now = systemClock.now();
  const each = Math.floor(total / accounts);
  const owners = Array.from({ length: accounts }, () => ({
    accountId: ids.next('account'),
    lineId: ids.next('line'),
    endpointId: ids.next('endpoint'),
  }));
  // The disk is waited for when it is measured, not while the world is made.
  await client.query('set synchronous_commit = off');
  await client.query(ID_OF);
  for (const owner of owners) await seedOwner(client, owner);
  await seedDoNotCall(client, owners);
  const second = new Client({ connectionString });
  await second.connect();
  await second.query('set synchronous_commit = off');
  await withoutSecondaryIndexes(client, async () => {
    const spans = owners.flatMap((owner, index) => spansOf(owner, index * each, each, now));
    const fill = async (connection: Client): Promise<void> => {
      for (let span = spans.shift(); span !== undefined; span = spans.shift()) {
        await seedPeople(connection, vault, span.owner, span);
      }
    };
    await Promise.all([fill(client), fill(second)]);
  });
  await second.end();
  await client.query('vacuum analyze');
  await client.query('checkpoint');
  await client.query('set synchronous_commit = on');
  const made = owners.map(() => 0);
  return {
    total: each * accounts,
    owners,
    async makeDue(count, from, spacingMs, owner = 0) {
      const before = made[owner] ?? 0;
      if (before + count > each) throw new Error(`only ${each} calls are seeded for each account`);
      const values = [before, count, each, now, from, spacingMs, STRIDE, owner * each];
      await client.query(MAKE_DUE, values);
      made[owner] = before + count;
    },
    close: () => client.end(),
  };
}

/**
 * The strict pack without what would stop a measurement: one line dials here what a hundred
 * would, and at any time of day.
 */
export function benchPacks(): PolicyPacks {
  const packs = makePolicyPacks();
  const uncapped = new Map<string, PolicyPack>();
  const of = (name: string): PolicyPack => {
    const { lineCalls: _, requestQuietHours: _hours, ...limits } = packs.of(name).limits;
    const pack = uncapped.get(name) ?? { ...packs.of(name), limits };
    uncapped.set(name, pack);
    return pack;
  };
  return { ...packs, of, layersOf: ({ policyPack }) => ({ pack: of(policyPack), narrower: [] }) };
}

const MAKE_DUE = `
  update calls c set due_at = to_timestamp(v.due / 1000.0),
         state = jsonb_set(c.state, '{plan,dueAt}', to_jsonb(v.due))
    from (select i % 64 as bucket, seed_id('call', i, $4) as id, due
            from (select $8::bigint + (n * $7::bigint) % $3::bigint as i,
                         $5::bigint + floor((n - $1::bigint) * $6::float8)::bigint as due
                    from generate_series($1::bigint, $1::bigint + $2::bigint - 1) n) numbered) v
   where c.bucket = v.bucket and c.id = v.id`;

/** A list as an account has it that called for years; none of the people here is on it. */
async function seedDoNotCall(client: Client, owners: readonly Owner[]): Promise<void> {
  await client.query(
    `insert into do_not_call (bucket, account_id, handle_hmac, reason, source, added_at)
     select n % 64, ($1::text[])[1 + n % $2], sha256(n::text::bytea), 'opted_out', 'api', now()
       from generate_series(1, 100000) n`,
    [owners.map(({ accountId }) => accountId), owners.length],
  );
}

export type Owner = { accountId: AccountId; lineId: LineId; endpointId: EndpointId };

async function seedOwner(client: Client, owner: Owner): Promise<void> {
  const { accountId, lineId, endpointId } = owner;
  await client.query('insert into accounts (id, name) values ($1, $1)', [accountId]);
  await client.query(
    `insert into endpoints (id, account_id, name, uri, codecs, strategy, ring_timeout_ms)
     values ($2, $1, 'desk', 'sip:desk@127.0.0.1', '{PCMU}', 'on_answer', 30000)`,
    [accountId, endpointId],
  );
  await client.query(
    `insert into lines (id, account_id, name, display_number, country, phone_number_id, waba_id,
       graph_base_url, graph_version, access_token, app_secret, verify_token, policy_pack,
       default_endpoint_id)
     values ($2, $1, 'line', '+442079460000', 'GB', $2, '2', 'http://127.0.0.1', 'v23.0',
       '', '', '', 'strict-2026-01', $3)`,
    [accountId, lineId, endpointId],
  );
  // One receiver of events, so that the outbox writes deliveries too.
  await client.query(
    `insert into webhook_endpoints (id, account_id, url, secret)
     values ('wh' || substr($1, 5), $1, 'http://127.0.0.1/events', '')`,
    [accountId],
  );
}

type Span = { from: number; to: number; now: number };

/** So many people of an owner, in parts that one statement can carry. */
function spansOf(
  owner: Owner,
  first: number,
  count: number,
  now: number,
): Array<Span & { owner: Owner }> {
  return Array.from({ length: Math.ceil(count / CHUNK) }, (_, part) => {
    const from = first + part * CHUNK;
    return { owner, from, to: Math.min(first + count, from + CHUNK) - 1, now };
  });
}

/**
 * Real states; SQL puts the ids of each row in, so what is seeded is what the program writes. Only
 * what is sealed is made here, for each person under a key of their own.
 */
async function seedPeople(client: Client, vault: Vault, owner: Owner, span: Span): Promise<void> {
  const { now } = span;
  const { accountId, lineId } = owner;
  const consent = aConsent(now);
  const states = {
    call: divide(aCall(owner, now), CALL_FIELDS),
    consent: divide(consent, CONSENT_FIELDS),
    permission: divide(aPermission(owner, consent.permission), CONSENT_FIELDS),
  };
  const people = await seedContacts(client, vault, accountId, span);
  const numbers = people.map(({ i }) => i);
  const sealed = (part: keyof typeof states) =>
    people.map(({ key }) => key.seal(states[part].taken));
  const rows = 'from unnest($1::bigint[], $2::bytea[]) v (i, sealed)';
  await client.query(
    `insert into consents (bucket, contact_id, line_id, account_id, status, state, wakes_at,
       updated_at, sealed)
     select i % 64, seed_id('cont', i, $3), $5, $4, 'granted',
            $6::jsonb || jsonb_build_object('permission', ($6::jsonb -> 'permission')
              || jsonb_build_object('permissionId', seed_id('perm', i, $3))),
            to_timestamp($7::bigint / 1000.0), now(), sealed
     ${rows}`,
    [numbers, sealed('consent'), now, accountId, lineId, states.consent.plain, now + DAY_MS],
  );
  await client.query(
    `insert into permissions (bucket, id, account_id, contact_id, line_id, status, state,
       granted_at, sealed)
     select i % 64, seed_id('perm', i, $3), $4, seed_id('cont', i, $3), $5, 'granted',
            $6::jsonb || jsonb_build_object('contactId', seed_id('cont', i, $3), 'permission',
              ($6::jsonb -> 'permission')
              || jsonb_build_object('permissionId', seed_id('perm', i, $3))), now(), sealed
     ${rows}`,
    [numbers, sealed('permission'), now, accountId, lineId, states.permission.plain],
  );
  await client.query(
    `insert into calls (bucket, id, account_id, contact_id, line_id, status, state, due_at,
       created_at, sealed)
     select i % 64, seed_id('call', i, $3), $4, seed_id('cont', i, $3), $5, 'queued',
            $6::jsonb || jsonb_build_object('plan', ($6::jsonb -> 'plan') || jsonb_build_object(
              'id', seed_id('call', i, $3), 'contactId', seed_id('cont', i, $3))),
            to_timestamp($7::bigint / 1000.0), now(), sealed
     ${rows}`,
    [numbers, sealed('call'), now, accountId, lineId, states.call.plain, now + DAY_MS],
  );
}

type Seeded = { i: string; id: string; key: SubjectKey };

async function seedContacts(
  client: Client,
  vault: Vault,
  accountId: AccountId,
  { from, to, now }: Span,
): Promise<Seeded[]> {
  const { rows } = await client.query<{ i: string; id: string }>(
    "select i, seed_id('cont', i, $3) as id from generate_series($1::bigint, $2::bigint) i",
    [from, to, now],
  );
  const made = rows.map((row) => ({ ...row, ...vault.makeKey(row.id) }));
  const columns = [made.map(({ i }) => Number(i) % 64), made.map(({ id }) => id)];
  await client.query(
    `insert into contact_keys (bucket, contact_id, sealed_key)
     select * from unnest($1::smallint[], $2::text[], $3::bytea[])`,
    [...columns, made.map(({ sealed }) => sealed)],
  );
  const identities = made.map(({ i, key }) =>
    key.seal({ e164: `+4477${i.padStart(8, '0')}`, userId: null, name: null }),
  );
  await client.query(
    `insert into contacts (bucket, id, identity, account_id, country, created_at)
     select v.*, $4, 'GB', now() from unnest($1::smallint[], $2::text[], $3::bytea[]) v`,
    [...columns, identities, accountId],
  );
  return made;
}

const ids = makeIds(systemClock, systemRandom);

function aCall(owner: Owner, now: number): CallState {
  return queuedCall({
    ...owner,
    id: ids.next('call'),
    contactId: ids.next('contact'),
    purpose: PURPOSE,
    strategy: 'on_answer',
    ringTimeoutMs: 60_000,
    clientReference: null,
    requestedAt: now,
    dueAt: now + DAY_MS,
  });
}

type Granted = Extract<ConsentState, { status: 'granted' }>;

function aPermission(owner: Owner, permission: ConsentPermission): PermissionRow {
  return {
    accountId: owner.accountId,
    contactId: ids.next('contact'),
    lineId: owner.lineId,
    permission,
    status: 'granted',
    usedByCallId: null,
    revokedAt: null,
    revokedBy: null,
  };
}

function aConsent(now: number): Granted {
  const requestId = ids.next('permissionRequest');
  const messageId = 'wamid.HBgMNDQ3NzAwOTAwMTAxFQIAERgSQjNBQTQ2';
  const asked = { requestId, purpose: PURPOSE, promisedAt: null, messageId };
  const grantedAt = now - 30_000;
  return {
    status: 'granted',
    request: {
      ...asked,
      template: 'ask_to_call',
      language: 'en_GB',
      text: `May we call you about ${PURPOSE}? Your answer counts for one call within 24 hours.`,
      packName: 'strict-2026-01',
      requestedAt: now - 60_000,
      lapsesAt: now + DAY_MS,
      delivery: 'read',
    },
    permission: {
      ...asked,
      permissionId: ids.next('permission'),
      kind: 'temporary',
      source: 'user',
      grantedAt,
      expiresAt: now + DAY_MS,
    },
    history: {
      ...initialConsent.history,
      requestsSent: 1,
      lastRequestAt: now - 60_000,
      lastAnswer: { at: grantedAt, kind: 'accept', by: 'customer', messageId },
    },
  };
}

/** A million rows go in twice as fast when the other indexes are built afterwards. */
async function withoutSecondaryIndexes(client: Client, work: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
      where schemaname = 'public' and tablename in ('contacts', 'consents', 'permissions', 'calls')
        and indexname not like '%\\_pkey'`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  await work();
  for (const { definition } of rows) await client.query(definition);
}
