import { ensureAccount, saveAccountPolicy } from '../../src/accounts/account-store.ts';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { saveEndpoint } from '../../src/endpoints/endpoint-store.ts';
import { createApiKey } from '../../src/http/api-keys-store.ts';
import { saveLine } from '../../src/lines/line-store.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { makeIds, type AccountId } from '../../src/platform/ids.ts';
import { silentLog } from '../../src/platform/log.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { makeSealer } from '../../src/platform/sealing.ts';
import { openVault } from '../../src/platform/vault.ts';
import { addBuiltInTemplates } from '../../src/templates/template-store.ts';
import { createWebhookEndpoint } from '../../src/webhooks/webhook-endpoints-store.ts';
import { makeSecret } from '../../src/webhooks/signing.ts';
import { PRESET } from '../../simulator/simulator.ts';
import { testDatabase } from '../database.ts';
import { openTables } from './tables.ts';

/**
 * What stands before any day begins and is the same for every seed: a database whose clock is
 * the world's, two businesses, three lines, endpoints that answer in different ways, receivers.
 */
export type Business = {
  name: string;
  accountId: AccountId;
  apiKey: string;
  lineIds: string[];
  endpointIds: string[];
  receiverUrl: string;
};

export type StageLine = {
  phoneNumberId: string;
  wabaId: string;
  displayNumber: string;
  country: string;
  business: number;
};

export type Stage = {
  businesses: readonly Business[];
  secrets: { dataKey: Uint8Array; doNotCallKey: Uint8Array; ledgerKey: Uint8Array };
  forTransactions: Database;
  forTheRest: Database;
  lineOf(phoneNumberId: string): StageLine | undefined;
  /** Must be told of every statement of a day, so that only what it wrote is taken away. */
  willWrite(text: string): void;
  /** Takes away everything a day has written. */
  clear(): Promise<void>;
  /** Throws when a table was written that no statement of a day named. */
  verify(): Promise<void>;
  close(): Promise<void>;
};

export const META_URL = 'http://meta.invalid';

/** Only the first is the simulator's preset; it makes the others as it is told. */
export const STAGE_LINES: readonly StageLine[] = [
  { ...lineIds(1), displayNumber: '+442079460000', country: 'GB', business: 0 },
  { ...lineIds(2), displayNumber: '+442079460001', country: 'GB', business: 0 },
  { ...lineIds(3), displayNumber: '+442079460002', country: 'GB', business: 1 },
];

const ENDPOINTS = [
  { user: 'talk', strategy: 'on_answer' },
  { user: 'talk', strategy: 'on_ringing' },
  { user: 'talk', strategy: 'agent_first' },
  { user: 'busy', strategy: 'on_answer' },
  { user: 'late', strategy: 'on_answer' },
  { user: 'hangup-3', strategy: 'on_answer' },
] as const;

function lineIds(nth: number): { phoneNumberId: string; wabaId: string } {
  const { wabaId } = PRESET;
  return { phoneNumberId: `10000000000000${nth}`, wabaId };
}

const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** Prepares a database of its own; a few seconds, once per process. */
export async function openStage(): Promise<Stage> {
  const { connectionString, close } = await testDatabase({ poolSize: 1 });
  const [dataKey, doNotCallKey, ledgerKey] = [keyOf(7), keyOf(9), keyOf(5)];
  const secrets = { dataKey, doNotCallKey, ledgerKey };
  const vault = openVault(secrets.dataKey, seededRandom(2));
  const options = { connection: connectionString, log: silentLog, poolSize: 1, vault };
  const first = openDatabase(options);
  await first.script(VIRTUAL_TIME);
  await first.close();
  const forTransactions = openDatabase(options);
  const forTheRest = openDatabase(options);
  const businesses = await furnish(forTransactions, secrets);
  const tables = await openTables(forTheRest);
  return {
    businesses,
    secrets,
    forTransactions,
    forTheRest,
    lineOf: (id) => STAGE_LINES.find(({ phoneNumberId }) => phoneNumberId === id),
    ...tables,
    async close() {
      await forTransactions.close();
      await forTheRest.close();
      await close();
    },
  };
}

async function furnish(database: Database, secrets: { dataKey: Uint8Array }): Promise<Business[]> {
  const clock = new ManualClock();
  const random = seededRandom(1);
  const ids = makeIds(clock, random);
  const sealer = makeSealer(secrets.dataKey, random);
  return database.transaction(async (tx) => {
    const businesses: Business[] = [];
    await tx.run(SHOW_CLOCK, [String(clock.now())]);
    for (const name of ['Clinic', 'Shop']) {
      const accountId = await ensureAccount(tx, ids, name);
      await addBuiltInTemplates(
        tx,
        ids,
        { accountId, wabaId: PRESET.wabaId },
        { approved: true, now: clock.now() },
      );
      // The clinic's people are awake at all hours; the shop's are protected by the law.
      if (businesses.length === 0) {
        await saveAccountPolicy(tx, accountId, { lawOverlays: 'off', limits: {} });
      }
      const spec = { accountId, name, mode: 'test', now: clock.now() } as const;
      const { key } = await createApiKey(tx, spec, { ids, random });
      const endpointIds: string[] = [];
      for (const [index, { user, strategy }] of ENDPOINTS.entries()) {
        const id = await saveEndpoint(tx, sealer, {
          id: ids.next('endpoint'),
          accountId,
          name: `Endpoint ${index}`,
          uri: `sip:${user}@127.0.0.1:5070`,
          username: null,
          password: null,
          codecs: ['PCMU'],
          strategy,
          ringTimeoutMs: 30_000,
          srtp: 'off',
          meanwhile: 'ringing',
        });
        endpointIds.push(id);
      }
      const receiverUrl = `https://receiver.invalid/${name.toLowerCase()}`;
      const secret = makeSecret(random);
      const hook = { accountId, url: receiverUrl, eventTypes: [], secret: '', now: clock.now() };
      await createWebhookEndpoint(tx, { ...hook, secret }, { ids, sealer });
      businesses.push({ name, accountId, apiKey: key, lineIds: [], endpointIds, receiverUrl });
    }
    for (const line of STAGE_LINES) {
      const business = businesses[line.business];
      if (business === undefined) continue;
      const id = await saveLine(tx, sealer, {
        id: ids.next('line'),
        accountId: business.accountId,
        name: 'Line',
        displayNumber: line.displayNumber,
        country: line.country,
        policyPack: 'strict-2026-01',
        defaultEndpointId: business.endpointIds[0] as never,
        access: {
          graphBaseUrl: META_URL,
          graphVersion: 'v23.0',
          phoneNumberId: line.phoneNumberId,
          wabaId: line.wabaId,
          accessToken: PRESET.accessToken,
        },
        appSecret: PRESET.appSecret,
        verifyToken: PRESET.verifyToken,
      });
      if (id !== null) business.lineIds.push(id);
    }
    return businesses;
  });
}

const SHOW_CLOCK = { name: 'stage_show_clock', text: `select set_config('sim.now', $1, true)` };

/**
 * `now()` of the schema's defaults and of every statement becomes the world's: a schema before
 * pg_catalog in the search path hides PostgreSQL's own. What else could make one run differ from
 * the next is off: plans that depend on what was asked before or on how large a table has grown,
 * for rows come in the order of the plan, and cleaning at odd moments.
 */
const VIRTUAL_TIME = `
  create schema sim;
  create schema kept;
  create function sim.now() returns timestamptz language sql stable as
    $$ select to_timestamp(current_setting('sim.now')::double precision / 1000) $$;
  do $$ declare it record; begin
    for it in select c.relname, a.attname from pg_attrdef d
        join pg_class c on c.oid = d.adrelid
        join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
        join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where pg_get_expr(d.adbin, d.adrelid) = 'now()' loop
      execute format('alter table public.%I alter column %I set default sim.now()',
        it.relname, it.attname);
    end loop;
    for it in select tablename from pg_tables where schemaname = 'public' loop
      execute format('alter table public.%I set (autovacuum_enabled = false)', it.tablename);
    end loop;
    execute format('alter database %I set search_path = sim, pg_catalog, public',
      current_database());
    execute format('alter database %I set plan_cache_mode = force_generic_plan',
      current_database());
    execute format('alter database %I set jit = off', current_database());
    execute format('alter database %I set max_parallel_workers_per_gather = 0',
      current_database());
    execute format('alter database %I set enable_seqscan = off', current_database());
    execute format('alter database %I set enable_hashjoin = off', current_database());
    execute format('alter database %I set enable_mergejoin = off', current_database());
    execute format('alter database %I set enable_bitmapscan = off', current_database());
  end $$;
`;
