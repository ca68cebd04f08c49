import type { Attribution } from '../attribution/attribution.ts';
import { readCall } from '../calls/call-store.ts';
import { doNotCallIds, type DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { CallId } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import type { Survey } from './survey.ts';
import { refusal, stageSurvey, stopOf } from './survey-unit.ts';

export type SurveyWish = {
  callId: CallId;
  line: StoredLine;
  attribution?: Attribution | null | undefined;
  /** `platform` unless somebody wants it. */
  actor?: string;
};

/**
 * Asks the customer how satisfied they were with an answered call of theirs: once per call, never
 * after a stop or while on a do-not-call list, and only inside Meta's 24-hour window, for there is
 * no template of it. Every no is returned with its code and is in the ledger.
 */
export async function sendSurvey(
  unit: ContactUnit,
  ports: { doNotCallKey: DoNotCallKey },
  { callId, line, attribution = null, actor = 'platform' }: SurveyWish,
): Promise<Survey | Refused> {
  const call = await readCall(unit.tx, callId);
  const people = [unit, ...unit.absorbed];
  const called = people.find(({ contact }) => contact.id === call?.plan.contactId);
  const answeredAt = call?.facts.answeredAt ?? null;
  if (called === undefined || call?.status !== 'ended' || answeredAt === null) return notAnswered();
  // Of a person with several contacts, the one that goes on carries the stop.
  const stopped = stopOf(unit);
  if (stopped !== null) return stopped;
  const listed = await doNotCallIds(unit.tx, ports.doNotCallKey, [unit.contact]);
  if (listed.size > 0) return refusal('do_not_call');
  const wish = { callId, line, answeredAt, attribution, actor };
  return stageSurvey(called, wish);
}

function notAnswered(): Refused {
  return {
    refused: {
      code: 'survey_without_call',
      message: 'Only a call of this customer that was answered and is over is asked about.',
      fix: 'Wait for `call.ended`, and ask where `answeredAt` is set.',
    },
  };
}
