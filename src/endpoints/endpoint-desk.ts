import type { Database, Queryable } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { isRefused, type Refusal } from '../platform/refusal.ts';
import { capRefusal, capsOf, dayStart, isCapped, type Caps } from './caps.ts';
import type { StoredEndpoint } from './endpoint-store.ts';
import { liveUsage, talkedSince, type Usage } from './endpoint-usage-store.ts';
import { DEFAULT_GUARD, readGuards, type AccountGuard } from './guard-store.ts';
import { guardTarget, type GuardSettings } from './target-guard.ts';

/**
 * What the outside may be called, and how much of it: asked when a call is taken in, and again at
 * its dial. Guards are kept in memory and read again every two seconds; of usage only what
 * somebody has capped is counted, once per claim and never per call.
 */
export type EndpointDesk = {
  /** Reads what may have changed; call it before `guardOf` where the newest word counts. */
  refresh(): Promise<void>;
  /** The guard as it was last read; before the first time it allows no host. */
  guardOf(accountId: AccountId): GuardSettings;
  accountGuard(accountId: AccountId): AccountGuard;
  /** What is in use of these endpoints' accounts. Costs nothing where nobody set a cap. */
  loadOf(db: Queryable, endpoints: readonly StoredEndpoint[]): Promise<EndpointLoad>;
  /** Why a call may not go there now, or null. `later` asks only what time does not change. */
  refusalFor(
    endpoint: StoredEndpoint,
    keyId: string | null,
    load: EndpointLoad,
    later?: boolean,
  ): Refusal | null;
  /** A guard was changed in this process: the next `refresh` reads it. */
  forget(): void;
};

/** In use now; raise it with `count` for each call that is dialled on the strength of it. */
export type EndpointLoad = {
  live: Usage;
  seconds: Usage;
  count(endpointId: string, keyId: string | null): void;
};

export type EndpointDeskPorts = {
  database: Database;
  clock: Clock;
  /** What the operator allows all accounts; null is any host. */
  allowedHosts: readonly string[] | null;
};

const GUARD_FRESH_MS = 2_000;
/** Minutes of the day are counted this often at most; the calls under way are not in them. */
const MINUTES_FRESH_MS = 10_000;

export function openEndpointDesk({ database, clock, ...ports }: EndpointDeskPorts): EndpointDesk {
  let guards: Map<AccountId, AccountGuard> | null = null;
  let guardsUntil = -Infinity;
  const talked = new Map<AccountId, { until: number; usage: Promise<Usage> }>();
  const accountGuard = (accountId: AccountId): AccountGuard =>
    guards?.get(accountId) ?? DEFAULT_GUARD;
  const keyCaps = (accountId: AccountId): Caps => {
    const { keyMaxCalls, keyMinutesPerDay } = accountGuard(accountId);
    return { maxCalls: keyMaxCalls, minutesPerDay: keyMinutesPerDay };
  };

  const guardOf = (accountId: AccountId): GuardSettings => {
    const { allowedHosts, pstnPrefixes } = accountGuard(accountId);
    const lists = [ports.allowedHosts, allowedHosts, guards === null ? [] : null];
    return { allowedHosts: lists.filter((list) => list !== null), pstnPrefixes };
  };

  function talkedToday(db: Queryable, accountId: AccountId): Promise<Usage> {
    const known = talked.get(accountId);
    const now = clock.now();
    if (known !== undefined && known.until > now && known.until <= now + MINUTES_FRESH_MS) {
      return known.usage;
    }
    const usage = talkedSince(db, accountId, dayStart(now));
    talked.set(accountId, { until: now + MINUTES_FRESH_MS, usage });
    usage.catch(() => talked.delete(accountId));
    return usage;
  }

  async function refresh(db: Queryable = database): Promise<void> {
    const now = clock.monotonic();
    if (guardsUntil > now) return;
    guards = await readGuards(db);
    guardsUntil = now + GUARD_FRESH_MS;
  }

  return {
    refresh: () => refresh(),
    guardOf,
    accountGuard,
    forget() {
      guardsUntil = -Infinity;
      talked.clear();
    },
    async loadOf(db, endpoints) {
      await refresh(db);
      const capped = endpoints.filter(
        (one) => isCapped(capsOf(one)) || isCapped(keyCaps(one.accountId)),
      );
      const accounts = [...new Set(capped.map(({ accountId }) => accountId))];
      const timed = accounts.filter(
        (id) =>
          keyCaps(id).minutesPerDay !== null ||
          capped.some((one) => one.accountId === id && one.minutesPerDay !== null),
      );
      const [live, ...spoken] = await Promise.all([
        accounts.length === 0 ? nothing() : liveUsage(db, accounts),
        ...timed.map((id) => talkedToday(db, id)),
      ]);
      return makeLoad(live, spoken);
    },
    refusalFor(endpoint, keyId, { live, seconds }, later = false) {
      // A group of agents is no address at all: its calls never leave us but to their browsers.
      const addresses = endpoint.options.agents === undefined ? endpoint.targets : [];
      const guarded = addresses
        .map(({ uri }) => guardTarget(uri, guardOf(endpoint.accountId)))
        .filter((answer) => isRefused(answer));
      // One target that may still be called is enough; the others are passed over at the INVITE.
      if (guarded.length === endpoint.targets.length && guarded[0] !== undefined) {
        return guarded[0].refused;
      }
      if (later) return null;
      const now = clock.now();
      const ofEndpoint = {
        calls: live.byEndpoint.get(endpoint.id) ?? 0,
        seconds: seconds.byEndpoint.get(endpoint.id) ?? 0,
      };
      const refused = capRefusal('endpoint', capsOf(endpoint), ofEndpoint, now);
      if (refused !== null || keyId === null) return refused;
      const ofKey = {
        calls: live.byKey.get(keyId) ?? 0,
        seconds: seconds.byKey.get(keyId) ?? 0,
      };
      return capRefusal('key', keyCaps(endpoint.accountId), ofKey, now);
    },
  };
}

const nothing = (): Usage => ({ byEndpoint: new Map(), byKey: new Map() });

function makeLoad(live: Usage, spoken: readonly Usage[]): EndpointLoad {
  const seconds: Usage = {
    byEndpoint: new Map(spoken.flatMap(({ byEndpoint }) => [...byEndpoint])),
    byKey: new Map(spoken.flatMap(({ byKey }) => [...byKey])),
  };
  return {
    live,
    seconds,
    count(endpointId, keyId) {
      live.byEndpoint.set(endpointId, (live.byEndpoint.get(endpointId) ?? 0) + 1);
      if (keyId !== null) live.byKey.set(keyId, (live.byKey.get(keyId) ?? 0) + 1);
    },
  };
}
