import type { Attribution } from '../attribution/attribution.ts';
import { attributed } from '../attribution/attribution.ts';
import { consentsOf } from '../consent/consent-store.ts';
import { requestOf } from '../consent/consent.ts';
import { languageFor } from '../consent/opt-out-words.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { queueMessage } from '../messages/message-unit.ts';
import { lastInboundAt, WINDOW_MS } from '../messages/window-store.ts';
import type { CallId, LineId } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import { REFUSALS, type RefusalCode } from '../policy/refusal-codes.ts';
import type { Score, Survey } from './survey.ts';
import { readSurvey, surveyRows } from './survey-store.ts';
import { surveyWordsIn } from './survey-words.ts';

/** What of a line a survey needs. */
export type AskingLine = Pick<StoredLine, 'id' | 'name' | 'stoppedAt'>;

export type AskAfterCall = {
  callId: CallId;
  line: AskingLine;
  /** When the customer picked up: that opened Meta's window, as their own message would. */
  answeredAt: number;
  attribution: Attribution | null;
  actor: string;
};

/**
 * Writes the question as a message on its way, unless somebody must not be asked. A no is in the
 * ledger, so that a survey that is missing can be explained.
 */
export async function stageSurvey(unit: ContactUnit, ask: AskAfterCall): Promise<Survey | Refused> {
  const { callId, line, attribution, actor } = ask;
  const refused = await whyNot(unit, ask);
  if (refused !== null) {
    const { code } = refused.refused;
    const data = { callId, lineId: line.id, code, ...attributed(attribution) };
    unit.record({ type: 'SurveyRefused', actor, at: unit.now, data });
    return refused;
  }
  const { question, button } = surveyWordsIn(await languageOf(unit, line.id));
  const text = question.replace('{business}', line.name);
  const content = { kind: 'survey', callId, text, button } as const;
  const message = queueMessage(unit, { lineId: line.id, requestId: null, content });
  const survey = newSurvey(unit, ask, { way: 'message', status: 'requested' });
  unit.save(surveyRows, callId, { ...survey, messageId: message.id });
  const data = { callId, lineId: line.id, messageId: message.id, ...attributed(attribution) };
  unit.record({ type: 'SurveyRequested', actor, at: unit.now, data });
  return { ...survey, messageId: message.id };
}

async function whyNot(unit: ContactUnit, ask: AskAfterCall): Promise<Refused | null> {
  const { contact, now, tx } = unit;
  const { line, callId, answeredAt } = ask;
  const stopped = stopOf(unit);
  if (stopped !== null) return stopped;
  if (line.stoppedAt !== null) return refusal('account_stopped');
  const earlier = unit.savedRow(surveyRows, callId) ?? (await readSurvey(tx, callId));
  if (earlier !== null && earlier.status !== 'failed') return alreadyAsked(earlier);
  const key = { contactId: contact.id, lineId: line.id };
  const heardAt = Math.max(answeredAt, (await lastInboundAt(tx, key)) ?? 0);
  return now < heardAt + WINDOW_MS ? null : refusal('messaging_window_closed');
}

/** Why nothing may be asked of this person any more; null where nothing stands against it. */
export function stopOf({ contact }: ContactUnit): Refused | null {
  if (contact.erasedAt !== null || contact.optedOutAt !== null) return refusal('opted_out');
  return contact.optOutPending === null ? null : refusal('opt_out_pending');
}

export function refusal(code: RefusalCode): Refused {
  const { meaning: message, fix } = REFUSALS[code];
  return { refused: { code, message, fix } };
}

function alreadyAsked({ status, askedAt }: Survey): Refused {
  return {
    refused: {
      code: 'survey_already_sent',
      message: 'The customer was asked about this call already.',
      fix: 'Nothing to do: a call is asked about once.',
      evidence: { status, askedAt },
    },
  };
}

/** The language of the person as the business knows it, else that of what it wrote them last. */
async function languageOf(unit: ContactUnit, lineId: LineId): Promise<string> {
  const { id, country, language } = unit.contact;
  if (language !== null) return languageFor({ asked: language, country });
  const consents = await consentsOf(unit.tx, [id]);
  const spoken = consents.find((consent) => consent.lineId === lineId) ?? consents[0];
  const asked = spoken === undefined ? null : (requestOf(spoken.state)?.language ?? null);
  return languageFor({ asked, country });
}

function newSurvey(
  { contact, now }: ContactUnit,
  {
    callId,
    line,
    attribution,
  }: Pick<AskAfterCall, 'callId' | 'attribution'> & {
    line: Pick<AskingLine, 'id'>;
  },
  { way, status }: Pick<Survey, 'way' | 'status'>,
): Survey {
  return {
    callId,
    accountId: contact.accountId,
    contactId: contact.id,
    lineId: line.id,
    way,
    status,
    messageId: null,
    askedAt: now,
    answeredAt: null,
    score: null,
    attribution,
  };
}

/** A script has asked at the end of its call; the score is null where no usable key came. */
export async function noteKeySurvey(
  unit: ContactUnit,
  asked: {
    callId: CallId;
    lineId: LineId;
    attribution: Attribution | null;
    score: Score | null;
    at: number;
  },
): Promise<void> {
  const { callId, lineId, attribution, score, at } = asked;
  const earlier = unit.savedRow(surveyRows, callId) ?? (await readSurvey(unit.tx, callId));
  if (earlier !== null && (earlier.status === 'answered' || score === null)) return;
  const wish = { callId, line: { id: lineId }, attribution };
  const survey = earlier ?? newSurvey(unit, wish, { way: 'key_press', status: 'sent' });
  if (earlier === null) {
    unit.save(surveyRows, callId, survey);
    tellSent(unit, survey, at);
  }
  if (score !== null) answer(unit, survey, { score, by: 'key_press', at });
}

export function tellSent(unit: ContactUnit, survey: Survey, at: number): void {
  const { callId, lineId, way, messageId } = survey;
  const data = { callId, lineId, way, messageId, ...attributed(survey.attribution) };
  const actor = way === 'message' ? 'meta' : 'script';
  const announce = { type: 'survey.sent', callId, sequence: 0, data } as const;
  unit.record({ type: 'SurveySent', actor, at, data, announce });
}

/** The score counts from here on, and no other of this call does. */
export function answer(
  unit: ContactUnit,
  survey: Survey,
  reply: { score: Score; by: 'tap' | 'quote' | 'number' | 'key_press'; at: number },
): void {
  const { callId, lineId, way } = survey;
  const { score, by, at } = reply;
  unit.save(surveyRows, callId, { ...survey, status: 'answered', score, answeredAt: at });
  const data = { callId, lineId, score, way, by, ...attributed(survey.attribution) };
  const announce = { type: 'survey.answered', callId, sequence: 0, data } as const;
  unit.record({ type: 'SurveyAnswered', actor: 'customer', at, data, announce });
}
