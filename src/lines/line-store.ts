import { at, statement, unmeasured, type Queryable, type Tx } from '../database/database.ts';
import type { KeyExchange } from '../media/media.ts';
import {
  bucketOf,
  type AccountId,
  type ContactId,
  type EndpointId,
  type LineId,
} from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';
import { accountPolicyOf, lineLimitsOf, type AccountPolicy } from '../policy/layers.ts';
import type { Limits } from '../policy/limits.ts';
import { surveySettingsOf, type SurveySettings } from '../surveys/survey.ts';
import type { Line, LineWebhookSecrets } from './line.ts';

type LineRow = {
  id: LineId;
  account_id: AccountId;
  name: string;
  display_number: string;
  country: string;
  phone_number_id: string;
  waba_id: string;
  graph_base_url: string;
  graph_version: string;
  access_token: Buffer;
  policy_pack: string;
  default_endpoint_id: EndpointId | null;
  enabled: boolean;
  restricted_until: number | null;
  opt_out_key: string | null;
  key_exchange: KeyExchange;
  account_policy: unknown;
  own_limits: unknown;
  account_stopped_at: number | null;
  paused_at: number | null;
  surveys: unknown;
  account_settings: { surveys?: unknown } | null;
};

const COLUMNS = `id, account_id, name, display_number, country, phone_number_id, waba_id,
  graph_base_url, graph_version, access_token, policy_pack, default_endpoint_id, enabled,
  restricted_until, opt_out_key, key_exchange, own_limits, surveys,
  (select settings - 'policy' from accounts where accounts.id = account_id) as account_settings,
  (select settings -> 'policy' from accounts where accounts.id = account_id) as account_policy,
  (select stopped_at from accounts where accounts.id = account_id) as account_stopped_at,
  (select since from line_brakes b where b.line_id = lines.id and b.state = 'paused') as paused_at`;

/** A line as it is stored: the access token is still sealed, so most code never holds it. */
export type StoredLine = Omit<Line, 'access'> & {
  sealed: Omit<Line['access'], 'accessToken'> & { accessToken: Buffer };
  /** What the line's account has set; read beside it, because every decision needs both. */
  accountPolicy: AccountPolicy;
  /** What this line sets beside its account. */
  ownLimits: Limits;
  /** Whether customers are asked how a call was. */
  surveys: SurveySettings;
  /** How the account wants its people to ask and call. */
  /** Since when everything of the account is stopped, or null. */
  stoppedAt: number | null;
  /** Since when its brakes keep it from asking and calling, or null. */
  pausedAt: number | null;
};

const BY_ID = statement<LineRow>(
  'line_by_id',
  `select ${COLUMNS} from lines where id = $1 and account_id = $2`,
);

export async function readLine(
  db: Queryable,
  accountId: AccountId,
  id: LineId,
): Promise<StoredLine | null> {
  const row = await db.first(BY_ID, [id, accountId]);
  return row === undefined ? null : toLine(row);
}

const BY_IDS = statement<LineRow>(
  'line_by_ids',
  `select ${COLUMNS} from lines where id in (select unnest(${unmeasured('$1::text[]')}))`,
);

export async function readLines(db: Queryable, ids: readonly LineId[]): Promise<StoredLine[]> {
  return (await db.run(BY_IDS, [ids])).map(toLine);
}

const OF_CONTACTS = statement<LineRow>(
  'line_of_contacts',
  `select ${COLUMNS} from lines where id in (
     select line_id from consents
      where (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[]))
      union
     select line_id from calls where phase <> 'ended'
        and (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[])))`,
);

/** The lines that contacts have a consent or an unfinished call on. */
export async function linesOfContacts(
  db: Queryable,
  contactIds: readonly ContactId[],
): Promise<StoredLine[]> {
  const values = [contactIds.map((id) => bucketOf(id)), contactIds];
  return (await db.run(OF_CONTACTS, values)).map(toLine);
}

const OF_ACCOUNT = statement<LineRow>(
  'line_of_account',
  `select ${COLUMNS} from lines where account_id = $1 order by id`,
);

export async function listLines(db: Queryable, accountId: AccountId): Promise<StoredLine[]> {
  return (await db.run(OF_ACCOUNT, [accountId])).map(toLine);
}

const BY_PHONE_NUMBER_ID = statement<LineRow>(
  'line_by_phone_number_id',
  `select ${COLUMNS} from lines where phone_number_id = $1`,
);

/** The line that a webhook speaks of, by Meta's phone number id. */
export async function findLine(db: Queryable, phoneNumberId: string): Promise<StoredLine | null> {
  const row = await db.first(BY_PHONE_NUMBER_ID, [phoneNumberId]);
  return row === undefined ? null : toLine(row);
}

const SECRETS = statement<{ app_secret: Buffer; verify_token: Buffer }>(
  'line_webhook_secrets',
  'select app_secret, verify_token from lines where enabled',
);

/** The secrets of every enabled line; a webhook is Meta's if any of them verifies it. */
export async function readWebhookSecrets(
  db: Queryable,
  sealer: Sealer,
): Promise<LineWebhookSecrets[]> {
  return (await db.run(SECRETS)).map((row) => ({
    appSecret: sealer.open(row.app_secret),
    verifyToken: sealer.open(row.verify_token),
  }));
}

const SAVE = statement<{ id: LineId }>(
  'line_save',
  `insert into lines (id, account_id, name, display_number, country, phone_number_id, waba_id,
     graph_base_url, graph_version, access_token, app_secret, verify_token, policy_pack,
     default_endpoint_id, opt_out_key, key_exchange)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
     coalesce($16, 'dtls'))
   on conflict (phone_number_id) do update
     set name = excluded.name, display_number = excluded.display_number,
         country = excluded.country, waba_id = excluded.waba_id,
         graph_base_url = excluded.graph_base_url, graph_version = excluded.graph_version,
         access_token = excluded.access_token, opt_out_key = excluded.opt_out_key,
         app_secret = excluded.app_secret,
         verify_token = excluded.verify_token,
         key_exchange = coalesce($16, lines.key_exchange),
         default_endpoint_id = coalesce(excluded.default_endpoint_id, lines.default_endpoint_id)
     where lines.account_id = excluded.account_id
   returning id`,
);

export type NewLine = Omit<Line, 'restrictedUntil' | 'enabled' | 'optOutKey' | 'keyExchange'> & {
  optOutKey?: string | null;
  /** Absent: `dtls` for a new line, else as it is. */
  keyExchange?: KeyExchange;
};

/**
 * Adds a line, or replaces the settings of the line with the same phone number id. Returns null
 * when that number belongs to another account.
 */
export async function saveLine(
  tx: Tx,
  sealer: Sealer,
  line: NewLine & LineWebhookSecrets,
): Promise<LineId | null> {
  const { access } = line;
  const row = await tx.first(SAVE, [
    line.id,
    line.accountId,
    line.name,
    line.displayNumber,
    line.country,
    access.phoneNumberId,
    access.wabaId,
    access.graphBaseUrl,
    access.graphVersion,
    sealer.seal(access.accessToken),
    sealer.seal(line.appSecret),
    sealer.seal(line.verifyToken),
    line.policyPack,
    line.defaultEndpointId,
    line.optOutKey ?? null,
    line.keyExchange ?? null,
  ]);
  return row?.id ?? null;
}

const CHANGE = statement<LineRow>(
  'line_change',
  `update lines set name = $3, default_endpoint_id = $4, opt_out_key = $5
   where account_id = $1 and id = $2 returning ${COLUMNS}`,
);

/** What may change without Meta's secrets; null where the account has no such line. */
export async function changeLine(
  db: Queryable,
  line: Pick<StoredLine, 'accountId' | 'id' | 'name' | 'defaultEndpointId' | 'optOutKey'>,
): Promise<StoredLine | null> {
  const { accountId, id, name, defaultEndpointId, optOutKey } = line;
  const row = await db.first(CHANGE, [accountId, id, name, defaultEndpointId, optOutKey]);
  return row === undefined ? null : toLine(row);
}

const LOCK = statement<LineRow>(
  'line_lock',
  `select ${COLUMNS} from lines where id = $1 and account_id = $2 for no key update of lines`,
);

/** The line, kept from other changes until the transaction ends. */
export async function lockLine(
  tx: Tx,
  accountId: AccountId,
  id: LineId,
): Promise<StoredLine | null> {
  const row = await tx.first(LOCK, [id, accountId]);
  return row === undefined ? null : toLine(row);
}

const SET_RESTRICTION = statement(
  'line_set_restriction',
  'update lines set restricted_until = $2 where phone_number_id = $1',
);

export async function setRestriction(
  db: Queryable,
  phoneNumberId: string,
  until: number | null,
): Promise<void> {
  await db.run(SET_RESTRICTION, [phoneNumberId, at(until)]);
}

const SET_KEY_EXCHANGE = statement(
  'line_set_key_exchange',
  'update lines set key_exchange = $3 where account_id = $1 and id = $2',
);

/** How calls from now on are keyed toward WhatsApp. */
export async function saveKeyExchange(
  db: Queryable,
  accountId: AccountId,
  id: LineId,
  keyExchange: KeyExchange,
): Promise<void> {
  await db.run(SET_KEY_EXCHANGE, [accountId, id, keyExchange]);
}

const SET_SURVEYS = statement(
  'line_set_surveys',
  'update lines set surveys = $3 where account_id = $1 and id = $2',
);

/** What the line itself sets about surveys; null where its account's word is to hold. */
export async function saveLineSurveys(
  db: Queryable,
  accountId: AccountId,
  id: LineId,
  own: Partial<SurveySettings> | null,
): Promise<void> {
  await db.run(SET_SURVEYS, [accountId, id, own === null ? null : JSON.stringify(own)]);
}

/** Opens the access token: only right before Meta is spoken to. */
export function openLine(line: StoredLine, sealer: Sealer): Line {
  const { id, accountId, name, displayNumber, country, policyPack, sealed } = line;
  const { defaultEndpointId, enabled, restrictedUntil, optOutKey, keyExchange } = line;
  return {
    id,
    accountId,
    name,
    displayNumber,
    country,
    policyPack,
    defaultEndpointId,
    enabled,
    restrictedUntil,
    optOutKey,
    keyExchange,
    access: { ...sealed, accessToken: sealer.open(sealed.accessToken) },
  };
}

function toLine(row: LineRow): StoredLine {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    displayNumber: row.display_number,
    country: row.country,
    policyPack: row.policy_pack,
    defaultEndpointId: row.default_endpoint_id,
    enabled: row.enabled,
    restrictedUntil: row.restricted_until,
    optOutKey: row.opt_out_key,
    keyExchange: row.key_exchange,
    accountPolicy: accountPolicyOf(row.account_policy),
    ownLimits: lineLimitsOf(row.own_limits),
    surveys: surveySettingsOf(row.account_settings?.surveys, row.surveys),
    stoppedAt: row.account_stopped_at,
    pausedAt: row.paused_at,
    sealed: {
      graphBaseUrl: row.graph_base_url,
      graphVersion: row.graph_version,
      phoneNumberId: row.phone_number_id,
      wabaId: row.waba_id,
      accessToken: row.access_token,
    },
  };
}
