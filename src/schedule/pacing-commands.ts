import { recordInRegister } from '../do-not-call/register-commands.ts';
import { readEndpoint } from '../endpoints/endpoint-store.ts';
import { readLine } from '../lines/line-store.ts';
import type { UnitPorts } from '../ledger/contact-unit.ts';
import type { Queryable, Tx } from '../database/database.ts';
import { isId, type AccountId } from '../platform/ids.ts';
import { removePacingLimit, savePacingLimit } from './pacing-store.ts';
import type { Pace, PacedId, PaceSetter, PacingLimit } from './schedule.ts';

const CAMPAIGN_ID_MAX = 100;

/** What is set, and by whom; `setBy` is the operator unless given. */
export type PaceWish = PacedId & Pace & { setBy?: PaceSetter; reason?: string | null };

/**
 * Sets how fast and how many calls at a time, in place of what the same setter had set before;
 * neither a pace nor a cap takes the limit away. Gateways see it within two seconds.
 */
export async function setPace(
  tx: Tx,
  accountId: AccountId,
  wish: PaceWish,
): Promise<PacingLimit | null> {
  const { setBy = 'operator', reason = null, ...paced } = wish;
  if (paced.callsPerSecond === null && paced.concurrentCalls === null) {
    await clearPace(tx, accountId, paced, setBy);
    return null;
  }
  return savePacingLimit(tx, { ...paced, accountId, setBy, reason });
}

/** Takes a limit away; what the other setter has set stays. True where there was one. */
export function clearPace(
  tx: Tx,
  accountId: AccountId,
  { scope, id }: PacedId,
  setBy: PaceSetter = 'operator',
): Promise<boolean> {
  return removePacingLimit(tx, accountId, { scope, id }, setBy);
}

/** Records that somebody set a pace or took it away: a day of slow calls can be told later. */
export async function notePace(
  tx: Tx,
  ports: UnitPorts,
  accountId: AccountId,
  { actor, wish }: { actor: string; wish: PacedId & Pace },
): Promise<void> {
  const { scope, id, callsPerSecond, concurrentCalls } = wish;
  const isNone = callsPerSecond === null && concurrentCalls === null;
  const type = isNone ? 'PaceTakenAway' : 'PaceSet';
  const data = isNone ? { scope, id } : { scope, id, callsPerSecond, concurrentCalls };
  await recordInRegister(tx, ports, accountId, { type, actor, data });
}

/**
 * True where the account may set a pace for it. A campaign is known by its id alone: calls may name
 * one that was never kept here.
 */
export async function mayPace(
  db: Queryable,
  accountId: AccountId,
  { scope, id }: PacedId,
): Promise<boolean> {
  switch (scope) {
    case 'account':
      return id === accountId;
    case 'line':
      return isId('line', id) && (await readLine(db, accountId, id)) !== null;
    case 'endpoint':
      return isId('endpoint', id) && (await readEndpoint(db, accountId, id)) !== null;
    case 'campaign':
      return id.length <= CAMPAIGN_ID_MAX;
  }
}
