import { readCall } from '../calls/call-store.ts';
import type { DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { Tx } from '../database/database.ts';
import { onPerson, onPersonRead, withPersonRead } from '../identity/person-unit.ts';
import type { ContactUnit, LedgerPorts } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { invariant } from '../platform/invariant.ts';
import type { CallId, ContactId, LineId } from '../platform/ids.ts';
import type { ConsentRules } from './consent.ts';
import { optIn } from './opt-in-commands.ts';
import {
  optOut,
  readStopFacts,
  type OptOut,
  type OptOutDone,
  type StopFacts,
} from './opt-out-commands.ts';
import type { OptOutLatency } from './opt-out-metrics.ts';

/**
 * Stops that do not come by a message: each in one transaction, and each in the metric. A contact
 * that was merged into another stands for the whole person.
 */
export type OptOutDesk = {
  /** The key in a call. `waitedMs` have passed since it was pressed. */
  byKey(callId: CallId, waitedMs: number): Promise<void>;
  /** Told by somebody else, or over the page. */
  stop(contactId: ContactId, stop: Omit<OptOut, 'at'>): Promise<OptOutDone>;
  /** As `stop`, inside a transaction that is already open. */
  stopIn(tx: Tx, contactId: ContactId, stop: Omit<OptOut, 'at'>): Promise<OptOutDone>;
  /** The person themselves, over the page, takes their stop back. */
  liftByPage(contactId: ContactId): Promise<boolean>;
};

export type OptOutDeskPorts = LedgerPorts & {
  doNotCallKey: DoNotCallKey;
  rulesOfLine: (unit: ContactUnit, lineId: LineId, known?: StoredLine) => Promise<ConsentRules>;
  optOutLatency: OptOutLatency;
};

export function openOptOutDesk(ports: OptOutDeskPorts): OptOutDesk {
  const { doNotCallKey } = ports;
  const stopUnit = (word: Omit<OptOut, 'at'>) => (unit: ContactUnit, facts: StopFacts) => {
    const rulesOfLine = (lineId: LineId, known?: StoredLine) =>
      ports.rulesOfLine(unit, lineId, known);
    return optOut(unit, { doNotCallKey, rulesOfLine }, { ...word, at: unit.now }, facts);
  };
  const stop = async (contactId: ContactId, word: Omit<OptOut, 'at'>): Promise<OptOutDone> => {
    const effective = ports.optOutLatency.start(word.waitedMs ?? 0);
    const read = readStopFacts(word.lineId);
    const done = await onPersonRead(ports, contactId, read, stopUnit(word));
    if (!done.already) effective();
    return done;
  };
  return {
    stop,
    async byKey(callId, waitedMs) {
      const call = await readCall(ports.database, callId);
      invariant(call !== null, `call ${callId} does not exist`);
      const { contactId, lineId } = call.plan;
      await stop(contactId, { lineId, way: 'key_press', callId, waitedMs });
    },
    async stopIn(tx, contactId, word) {
      const effective = ports.optOutLatency.start(0);
      const read = readStopFacts(word.lineId);
      const done = await withPersonRead(ports, tx, contactId, read, stopUnit(word));
      if (!done.already) tx.afterCommit(effective);
      return done;
    },
    liftByPage: (contactId) =>
      onPerson(ports, contactId, (unit) =>
        optIn(unit, ports, { lineId: null, way: 'self_service', at: unit.now }),
      ),
  };
}
