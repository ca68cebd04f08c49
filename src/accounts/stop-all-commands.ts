import { callsThatRing } from '../calls/call-store.ts';
import { endRinging } from '../calls/ringing-commands.ts';
import type { LedgerPorts } from '../ledger/contact-unit.ts';
import { recordInRegister } from '../do-not-call/register-commands.ts';
import type { AccountId } from '../platform/ids.ts';
import { lockStop, saveStop, type AccountStop } from './account-store.ts';

/** What a stop has done: how many calls that nobody had picked up yet were ended. */
export type Stopped = AccountStop & { endedCalls: number };

/**
 * STOP ALL. From the commit on no call is dialled and no permission asked for on any line of the
 * account, for the dial holds a share of the same lock; a call that falls due meanwhile ends as
 * blocked, so that nothing goes off by surprise later. What rings is ended; who talks goes on
 * talking. Doing it twice keeps the first time and reason, and ends once more what rings.
 */
export async function stopAll(
  ports: LedgerPorts,
  accountId: AccountId,
  { actor, reason }: { actor: string; reason: string },
): Promise<Stopped> {
  const stop = await ports.database.transaction(async (tx) => {
    const before = await lockStop(tx, accountId);
    if (before !== null) return before;
    const made = { stoppedAt: ports.clock.now(), stoppedBy: actor, reason };
    await saveStop(tx, accountId, made);
    await recordInRegister(tx, ports, accountId, {
      type: 'AccountStopped',
      actor,
      data: {},
      personal: { reason },
      announce: { type: 'account.stopped', callId: null, sequence: 0, data: { reason } },
    });
    return made;
  });
  const ringing = await callsThatRing(ports.database, accountId);
  return { ...stop, endedCalls: await endRinging(ports, ringing, 'account_stopped') };
}

/** Lets the account ask and call again; does nothing where it was not stopped. */
export async function liftStop(
  ports: LedgerPorts,
  accountId: AccountId,
  actor: string,
): Promise<void> {
  await ports.database.transaction(async (tx) => {
    const stop = await lockStop(tx, accountId);
    if (stop === null) return;
    await saveStop(tx, accountId, null);
    await recordInRegister(tx, ports, accountId, {
      type: 'AccountStopLifted',
      actor,
      data: { stoppedAt: stop.stoppedAt },
      announce: { type: 'account.resumed', callId: null, sequence: 0, data: {} },
    });
  });
}
