import type { DoNotCallKey } from '../contacts/do-not-call-store.ts';
import { oldestPending, pendingSince } from '../contacts/pending-opt-out-store.ts';
import { onContact, type ContactUnit, type LedgerPorts } from '../ledger/contact-unit.ts';
import { errorText } from '../platform/failure.ts';
import type { LineId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { openRowTimer } from '../platform/row-timer.ts';
import { commandConsent } from './consent-commands.ts';
import { nextConsentWake, wakingConsents } from './consent-store.ts';
import type { ConsentRules } from './consent.ts';
import { OPT_OUT_ANSWER_MS, endUnanswered } from './opt-out-pending-commands.ts';

/**
 * Ends what time ends: grants at their exact expiry, unanswered requests at their lapse, and the
 * wait for who was asked whether they meant stop. Meta
 * sends nothing when a permission expires, so the clock is ours. A grant past its expiry is
 * refused by the gate whether or not this worker has come round.
 */
export type ConsentWorker = { close(): Promise<void> };

export type ConsentWorkerPorts = LedgerPorts & {
  log: Log;
  doNotCallKey: DoNotCallKey;
  rulesOfLine: (unit: ContactUnit, lineId: LineId) => Promise<ConsentRules>;
};

/** Also the safety net for rows written by other processes. */
const LOOK_AGAIN_MS = 30_000;
const BATCH = 200;

export function openConsentWorker(ports: ConsentWorkerPorts): ConsentWorker {
  const { clock, database, log } = ports;
  const timer = openRowTimer({
    clock,
    atMostMs: LOOK_AGAIN_MS,
    sweep: async () => {
      for (;;) {
        const waking = await wakingConsents(database, clock.now(), BATCH);
        for (const { contactId, lineId } of waking) await endByTime(ports, contactId, lineId);
        if (waking.length < BATCH) break;
      }
      return Math.min((await nextConsentWake(database)) ?? Infinity, await endSilences(ports));
    },
    onError: (error) =>
      log.error({ error: errorText(error) }, 'sweeping expired permissions failed'),
  });
  // A new grant may expire before the time the timer is set to.
  const unsubscribe = ports.changes.subscribe(({ type }) => {
    if (type === 'PermissionGranted' || type === 'PermissionRequested') timer.wake();
  });
  return {
    async close() {
      unsubscribe();
      await timer.close();
    },
  };
}

async function endByTime(
  ports: ConsentWorkerPorts,
  contactId: Parameters<typeof onContact>[1],
  lineId: LineId,
): Promise<void> {
  await onContact(ports, contactId, async (unit) => {
    const rules = await ports.rulesOfLine(unit, lineId);
    const context = { rules, actor: 'platform' };
    await commandConsent(unit, lineId, { type: 'Expire' }, context);
    await commandConsent(unit, lineId, { type: 'Lapse' }, context);
  });
}

/** Takes long silences for the stop they most likely were; returns when the next one is over. */
async function endSilences(ports: ConsentWorkerPorts): Promise<number> {
  const { clock, database, doNotCallKey } = ports;
  for (;;) {
    const silent = await pendingSince(database, clock.now() - OPT_OUT_ANSWER_MS, BATCH);
    for (const contactId of silent) {
      await onContact(ports, contactId, async (unit) => {
        const rulesOfLine = (lineId: LineId) => ports.rulesOfLine(unit, lineId);
        await endUnanswered(unit, { doNotCallKey, rulesOfLine });
      });
    }
    if (silent.length < BATCH) break;
  }
  const oldest = await oldestPending(database);
  return oldest === null ? Infinity : oldest + OPT_OUT_ANSWER_MS;
}
