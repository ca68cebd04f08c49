import { consentView } from '../consent/consent-views.ts';
import type { ConsentState } from '../consent/consent.ts';
import type { ContactView } from '../http/api-types.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { LineId } from '../platform/ids.ts';
import type { Contact } from './contact.ts';

/** How a contact leaves the house: with the seven facts of the page for every line. */
export function contactView(
  contact: Contact,
  consents: ReadonlyArray<{ lineId: LineId; state: ConsentState }>,
  { listed, now }: { listed: boolean; now: number },
): ContactView {
  const { optOutPending, sanctionedRegion } = contact;
  const states = consents.map(({ state }) => state);
  return {
    id: contact.id,
    number: contact.e164,
    userId: contact.userId,
    name: contact.name,
    country: contact.country,
    language: contact.language,
    timeZone: contact.timeZone,
    doNotCall: contact.optedOutAt !== null || listed,
    optedOutAt: isoTimeOrNull(contact.optedOutAt),
    optOutPending:
      optOutPending === null
        ? null
        : { since: isoTime(optOutPending.at), lineId: optOutPending.lineId },
    sanctionedRegion:
      sanctionedRegion === null
        ? null
        : { since: isoTime(sanctionedRegion.at), by: sanctionedRegion.by },
    erasedAt: isoTimeOrNull(contact.erasedAt),
    mergedInto: contact.mergedInto,
    absorbed: [...contact.absorbed],
    history: historyOf(states),
    consents: consents.map(({ lineId, state }) => consentView(lineId, state, now)),
    createdAt: isoTime(contact.createdAt),
  };
}

/** Over all lines; times of calls are kept as long as any limit looks back. */
function historyOf(states: readonly ConsentState[]): ContactView['history'] {
  const all = states.map(({ history }) => history);
  const callsAt = all.flatMap((history) => history.callsAt);
  const requestsAt = all.flatMap(({ lastRequestAt }) => lastRequestAt ?? []);
  return {
    requestsSent: all.reduce((sum, { requestsSent }) => sum + requestsSent, 0),
    lastRequestAt: isoTimeOrNull(latest(requestsAt)),
    callsPlaced: callsAt.length,
    callsConnected: all.reduce((sum, { connectedAt }) => sum + connectedAt.length, 0),
    lastCallAt: isoTimeOrNull(latest(callsAt)),
    unansweredInRow: Math.max(0, ...all.map(({ unansweredInRow }) => unansweredInRow)),
  };
}

function latest(times: readonly number[]): number | null {
  return times.length === 0 ? null : Math.max(...times);
}
