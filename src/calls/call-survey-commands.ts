import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { readScore } from '../surveys/survey.ts';
import { readSurvey } from '../surveys/survey-store.ts';
import { noteKeySurvey, stageSurvey, type AskingLine } from '../surveys/survey-unit.ts';
import type { CallState } from './call.ts';
import type { ScriptEvent } from './call-script.ts';
import type { CdrLine } from './cdr.ts';

/** What of a line the end of a call needs. */
export type EndingLine = CdrLine & AskingLine & Pick<StoredLine, 'surveys'>;

/** Ends after which nobody wants to be asked anything. */
const UNASKED: ReadonlySet<string> = new Set([
  'opted_out',
  'opt_out_pending',
  'do_not_call',
  'erased',
]);

/** Asks how a call was that was answered, where the line wants it; costs nothing elsewhere. */
export async function askAfterEnd(
  unit: ContactUnit,
  { plan, facts, end }: Extract<CallState, { status: 'ended' }>,
  line: EndingLine,
): Promise<void> {
  const { enabled, minSeconds } = line.surveys;
  const { answeredAt } = facts;
  if (!enabled || answeredAt === null || UNASKED.has(end.reason)) return;
  if (end.at - answeredAt < minSeconds * 1_000) return;
  // The script of the call, or a journey, may have asked already.
  if ((await readSurvey(unit.tx, plan.id)) !== null) return;
  const attribution = plan.attribution ?? null;
  await stageSurvey(unit, { callId: plan.id, line, answeredAt, attribution, actor: 'platform' });
}

/** A `survey` step of a script is over: that the customer was asked, and what they pressed. */
export async function noteSurveyStep(
  unit: ContactUnit,
  { plan }: CallState,
  { step, at }: Extract<ScriptEvent, { type: 'CallScriptStep' }>,
): Promise<void> {
  const score = step.outcome === 'digits' && step.digits !== null ? readScore(step.digits) : null;
  const { id: callId, lineId } = plan;
  await noteKeySurvey(unit, { callId, lineId, attribution: plan.attribution ?? null, score, at });
}
