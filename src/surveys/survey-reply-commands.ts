import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { Message, MessageNews } from '../messages/message.ts';
import type { LineId } from '../platform/ids.ts';
import { judgeReply, readRowId, readScore, SURVEY_NUMBER_MS, type Reply } from './survey.ts';
import { latestSurvey, readSurvey, surveyRows } from './survey-store.ts';
import { answer, tellSent } from './survey-unit.ts';

/** What a person wrote or tapped, after the opt-out engine found nothing about calls in it. */
export type SaidToSurvey = {
  lineId: LineId;
  text: string;
  /** The id of the row that was tapped. */
  payload: string | undefined;
  /** The message of ours that is quoted, where it is known. */
  quoted: Message | null;
  at: number;
};

/** Meta's times are whole seconds, so a reply may seem older than its question by one. */
const SECOND_MS = 1_000;

/** Takes an answer to a survey; tells whether it was a reply to one at all. */
export async function hearSurveyReply(unit: ContactUnit, said: SaidToSurvey): Promise<boolean> {
  const found = await surveyMeant(unit, said);
  if (found === null) return false;
  const { survey, reply } = found;
  const people = [unit, ...unit.absorbed];
  const contactIds = people.map(({ contact }) => contact.id);
  const judged = judgeReply(survey, reply, { contactIds, lineId: said.lineId });
  if (judged === 'counts' && survey !== null) {
    const asked = people.find(({ contact }) => contact.id === survey.contactId) ?? unit;
    answer(asked, survey, reply);
    return true;
  }
  // Of a survey of somebody else nothing is told, not even which call it was about.
  const callId = judged === 'foreign' ? {} : { callId: survey?.callId };
  const data = { lineId: said.lineId, ...callId, reason: judged, score: reply.score };
  unit.record({ type: 'SurveyReplyIgnored', actor: 'customer', at: said.at, data });
  return true;
}

async function surveyMeant(unit: ContactUnit, said: SaidToSurvey) {
  const { at, quoted } = said;
  const tapped = readRowId(said.payload);
  if (tapped !== null) {
    const reply: Reply = { score: tapped.score, by: 'tap', at };
    return { survey: await readSurvey(unit.tx, tapped.callId), reply };
  }
  const score = readScore(said.text);
  if (score === null) return null;
  if (quoted !== null) {
    if (quoted.content.kind !== 'survey') return null;
    const reply: Reply = { score, by: 'quote', at };
    return { survey: await readSurvey(unit.tx, quoted.content.callId), reply };
  }
  const contactIds = [unit, ...unit.absorbed].map(({ contact }) => contact.id);
  const survey = await latestSurvey(unit.tx, contactIds, said.lineId, at - SURVEY_NUMBER_MS);
  // A number that nobody asked for, or that was written before, means something else.
  const isOpen = survey?.status === 'requested' || survey?.status === 'sent';
  if (survey === null || !isOpen || at + SECOND_MS <= survey.askedAt) return null;
  return { survey, reply: { score, by: 'number', at } satisfies Reply };
}

/** What became of the message that asks, from Meta's answer or from one of its webhooks. */
export async function noteSurveyNews(
  unit: ContactUnit,
  message: Message,
  news: MessageNews,
): Promise<void> {
  const { content } = message;
  if (content.kind !== 'survey') return;
  const survey = await readSurvey(unit.tx, content.callId);
  if (survey === null || survey.messageId !== message.id) return;
  const { callId, lineId } = survey;
  if (news.type !== 'failed') {
    if (survey.status !== 'requested') return;
    unit.save(surveyRows, callId, { ...survey, status: 'sent' });
    tellSent(unit, survey, news.at);
    return;
  }
  if (survey.status === 'failed' || survey.status === 'answered') return;
  unit.save(surveyRows, callId, { ...survey, status: 'failed' });
  const data = { callId, lineId, messageId: message.id, code: news.code };
  const announce = { type: 'survey.failed', callId, sequence: 0, data } as const;
  unit.record({ type: 'SurveyFailed', actor: 'meta', at: news.at, data, announce });
}
