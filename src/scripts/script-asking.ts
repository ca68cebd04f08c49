import { z } from 'zod';
import { delay, isoTime, type Clock } from '../platform/clock.ts';
import type { Egress } from '../webhooks/egress.ts';
import { sign } from '../webhooks/signing.ts';
import { isDelivered } from '../webhooks/webhooks.ts';
import { SCRIPT_LIMITS, type Step } from './script.ts';
import type { StepAnswer } from './script-state.ts';

/**
 * Asks a web service for the next step: one POST, signed as our webhooks are, its answer checked
 * before anything of it is believed.
 */
const answerSchema = z.strictObject({
  set: z
    .record(
      z.string().regex(/^[a-z][A-Za-z0-9_]{0,39}$/),
      z.string().max(SCRIPT_LIMITS.variableLength),
    )
    .refine((set) => Object.keys(set).length <= SCRIPT_LIMITS.variables)
    .optional(),
  next: z.string().max(40).optional(),
  steps: z.array(z.unknown()).min(1).max(SCRIPT_LIMITS.answerSteps).optional(),
});

const RETRY_MS = 300;

export type Question = {
  /** Unique to the call and the question; the same for each try. */
  id: string;
  step: Extract<Step, { do: 'url' }>;
  secret: string;
  /** What the service is told: call, step, digits, variables. */
  data: Record<string, unknown>;
};

export async function askNextStep(
  ports: { egress: Egress; clock: Clock },
  { id, step, secret, data }: Question,
): Promise<{ answer: StepAnswer | null; problem: string }> {
  const { egress, clock } = ports;
  const timestamp = isoTime(clock.now());
  const body = JSON.stringify({ id, type: 'call.script.asked', timestamp, data });
  let problem = 'no_answer';
  for (let turn = 1; turn <= step.tries; turn += 1) {
    const headers = sign([secret], { id, at: clock.now(), body });
    const { status, error, text } = await egress.ask(step.url, headers, body, step.timeoutMs);
    if (isDelivered({ status, error, retryAfter: null })) {
      // Asked again, a service that answers nonsense would answer nonsense.
      const answer = readAnswer(text ?? '');
      return { answer, problem: answer === null ? 'answer_unusable' : '' };
    }
    problem = error ?? `http_${status ?? 0}`;
    const isHopeless = status !== null && status < 500 && status !== 429;
    if (isHopeless) break;
    if (turn < step.tries) await delay(clock, RETRY_MS);
  }
  return { answer: null, problem };
}

/** Null for what is no answer; nothing at all means: go on. */
export function readAnswer(text: string): StepAnswer | null {
  if (text.trim() === '') return {};
  try {
    const parsed = answerSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
