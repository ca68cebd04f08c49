import { applyConsent } from '../consent/consent-commands.ts';
import { readConsent } from '../consent/consent-store.ts';
import type { ConsentRules } from '../consent/consent.ts';
import { onContact, type ContactUnit, type LedgerPorts } from '../ledger/contact-unit.ts';
import type { MediaStats } from '../media/media.ts';
import { invariant } from '../platform/invariant.ts';
import type { CallId, LineId } from '../platform/ids.ts';
import type { CallEvent, CallState } from './call.ts';
import type { EndedBy } from './call-facts.ts';
import { applyCallEvents } from './call-events.ts';
import { abandon, endOf, hangUp, observe, wake, type CallFact } from './call-rules.ts';
import { contactOfCall, readCall, readCallVersion } from './call-store.ts';

/**
 * Everything that changes one call, each in a transaction of its own on the call's contact. The
 * gateway, the webhook reception and the API all go through here, so a call has one order.
 */
export type CallDesk = {
  /** The row as it stands, with the mark that changes whenever it is written. */
  read(id: CallId): Promise<{ state: CallState; version: string }>;
  /** Records a fact once; a fact that is known already changes nothing. */
  observe(id: CallId, fact: CallFact, actor: string): Promise<CallState>;
  /** Has events decided on the row as it stands; tells them, and the state that they made. */
  decide(
    id: CallId,
    actor: string,
    decide: (state: CallState, now: number) => CallEvent[],
  ): Promise<{ state: CallState; news: readonly CallEvent[] }>;
  hangUp(id: CallId, by: EndedBy, reason: string, actor: string): Promise<CallState>;
  /** Does what time demands; `media` goes into the CDR if the call ends here. */
  wake(id: CallId, media: MediaStats | null): Promise<CallState>;
  /**
   * Ends a call that certainly never rang: Meta refused it, or it was never sent. The permission
   * is given back, because the customer's one call has not happened. Where Meta has told of the
   * call all the same, it is hung up instead and the permission stays used.
   */
  endUnrung(id: CallId, reason: string, media: MediaStats | null): Promise<CallState>;
};

export type CallDeskPorts = LedgerPorts & {
  /** The consent rules of a line's policy pack. */
  rulesOfLine: (unit: ContactUnit, lineId: LineId) => Promise<ConsentRules>;
};

export function openCallDesk(ports: CallDeskPorts): CallDesk {
  const change = async (
    id: CallId,
    actor: string,
    decide: (state: CallState, unit: ContactUnit) => CallEvent[] | Promise<CallEvent[]>,
  ): Promise<CallState> => {
    const contactId = await contactOfCall(ports.database, id);
    invariant(contactId !== null, `call ${id} does not exist`);
    return onContact(ports, contactId, async (unit) => {
      const state = await readCall(unit.tx, id);
      invariant(state !== null, `call ${id} vanished`);
      return applyCallEvents(unit, state, await decide(state, unit), actor);
    });
  };
  return {
    async read(id) {
      const found = await readCallVersion(ports.database, id);
      invariant(found !== null, `call ${id} does not exist`);
      return found;
    },
    observe: (id, fact, actor) =>
      change(id, actor, (state, unit) => observe(state, fact, unit.now)),
    decide: async (id, actor, decide) => {
      let news: readonly CallEvent[] = [];
      const state = await change(id, actor, (before, unit) => {
        const events = decide(before, unit.now);
        news = events;
        return events;
      });
      return { state, news };
    },
    hangUp: (id, by, reason, actor) =>
      change(id, actor, (state, unit) => hangUp(state, by, reason, unit.now)),
    wake: (id, media) => change(id, 'platform', (state, unit) => wake(state, unit.now, media)),
    endUnrung: (id, reason, media) =>
      change(id, 'platform', async (state, unit) => {
        // A webhook knows better than an error: Meta took this call, so a phone may ring.
        if (state.facts.wacid !== null) return hangUp(state, 'platform', reason, unit.now);
        await releasePermission(ports, unit, state, reason);
        if (state.facts.hangUp === null) return abandon(state, 'failed', reason, unit.now);
        return state.status === 'ended'
          ? []
          : [{ type: 'CallEnded', ...endOf(state, unit.now), media }];
      }),
  };
}

async function releasePermission(
  ports: CallDeskPorts,
  unit: ContactUnit,
  state: CallState,
  reason: string,
): Promise<void> {
  const { lineId, id: callId, contactId } = state.plan;
  const consent = await readConsent(unit.tx, { contactId, lineId });
  const rules = await ports.rulesOfLine(unit, lineId);
  const command = { type: 'Release', callId, reason } as const;
  await applyConsent(unit, lineId, consent, command, { rules, actor: 'platform' });
}
