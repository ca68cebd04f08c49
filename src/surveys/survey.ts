import * as z from 'zod';
import type { Attribution } from '../attribution/attribution.ts';
import type { MessageId } from '../messages/message.ts';
import type { AccountId, CallId, ContactId, LineId } from '../platform/ids.ts';
import { isId } from '../platform/ids.ts';

/**
 * How satisfied a customer was with a call, from 1 to 5: asked once per call, by a message
 * after it or by a key at its end, and never after a stop. The first answer counts. What is no
 * answer to a survey of this very person changes nothing.
 */
export type Score = 1 | 2 | 3 | 4 | 5;
export type SurveyWay = 'message' | 'key_press';

export type Survey = {
  callId: CallId;
  accountId: AccountId;
  contactId: ContactId;
  lineId: LineId;
  way: SurveyWay;
  /** `requested`: its message waits to be sent. A failed one may be sent again. */
  status: 'requested' | 'sent' | 'failed' | 'answered';
  messageId: MessageId | null;
  askedAt: number;
  answeredAt: number | null;
  score: Score | null;
  attribution: Attribution | null;
};

/** A tap counts so long after it was asked; later, nobody remembers the call. */
export const SURVEY_ANSWER_MS = 7 * 86_400_000;
/** A bare number counts only while the question is the last thing that was said. */
export const SURVEY_NUMBER_MS = 86_400_000;
export const SCORES: readonly Score[] = [1, 2, 3, 4, 5];

/** What an account, or a line beside it, sets. */
const enabled = z.boolean();
const minSeconds = z.int().min(0).max(3_600);
export const surveySettingsSchema = z.strictObject({
  enabled: enabled.default(false),
  minSeconds: minSeconds.default(10),
});
export type SurveySettings = z.infer<typeof surveySettingsSchema>;

/** Without defaults: what a line does not say, its account does. */
const linePart = z.strictObject({
  enabled: enabled.optional(),
  minSeconds: minSeconds.optional(),
});

/** The line's own word wins over its account's. What cannot be read asks nobody. */
export function surveySettingsOf(ofAccount: unknown, ofLine: unknown): SurveySettings {
  const account = surveySettingsSchema.safeParse(ofAccount ?? {});
  const line = linePart.safeParse(ofLine ?? {});
  if (!account.success || !line.success) return surveySettingsSchema.parse({});
  return {
    enabled: line.data.enabled ?? account.data.enabled,
    minSeconds: line.data.minSeconds ?? account.data.minSeconds,
  };
}

/** The id of a row of the list, which comes back with the tap. */
export function rowId(callId: CallId, score: Score): string {
  return `survey:${callId}:${score}`;
}

export function readRowId(payload: string | undefined): { callId: CallId; score: Score } | null {
  const parts = payload?.match(/^survey:(call_[0-9a-f-]{36}):([1-5])$/);
  const [, callId = '', digit = ''] = parts ?? [];
  if (!isId('call', callId)) return null;
  return { callId, score: Number(digit) as Score };
}

/** Zeros of the digits that keyboards of the worded languages type. */
const ZEROS = [0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50];
const CHINESE = ['一', '二', '三', '四', '五'];

/**
 * The score of a message that is nothing but a score: one digit of any script, also `4/5`, or one
 * to five stars. Anything more might mean something else.
 */
export function readScore(text: string): Score | null {
  const plain = text
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{M}\s.!]/gu, '')
    .replace(/\/5$/, '');
  if (/^[⭐★🌟]{1,5}$/u.test(plain)) return Array.from(plain).length as Score;
  const [sign = '', ...more] = Array.from(plain);
  if (more.length > 0 || sign === '') return null;
  const code = sign.codePointAt(0) ?? 0;
  const values = ZEROS.map((zero) => code - zero);
  const value = CHINESE.indexOf(sign) + 1 || values.find((each) => each >= 1 && each <= 5);
  return (value as Score | undefined) ?? null;
}

export type Reply = {
  score: Score;
  /** By the row of a list, by quoting the question, or by a number alone. */
  by: 'tap' | 'quote' | 'number';
  at: number;
};

/** Why a reply does not count. */
export type ReplyIgnored = 'foreign' | 'late' | 'doubled';

/** Whether a reply of these contacts, who are one person, answers the survey. */
export function judgeReply(
  survey: Survey | null,
  reply: Reply,
  who: { contactIds: readonly ContactId[]; lineId: LineId },
): 'counts' | ReplyIgnored {
  const isOwn =
    survey !== null && who.contactIds.includes(survey.contactId) && survey.lineId === who.lineId;
  if (!isOwn) return 'foreign';
  if (survey.status === 'answered') return 'doubled';
  return reply.at > survey.askedAt + SURVEY_ANSWER_MS ? 'late' : 'counts';
}
