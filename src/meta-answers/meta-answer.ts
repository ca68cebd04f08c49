import type { CallPermissions } from '../whatsapp/whatsapp.ts';

/**
 * What Meta says of a contact's permission on a line, kept beside what we know ourselves. Meta
 * may know of a no that no webhook has told us yet, so a pack may want it asked right before the
 * ring (user call permissions page: `GET call_permissions`). It can only ever forbid a call.
 */
export type MetaAnswer = {
  /** Before the question left, in ms since 1970: no answer counts as fresher than it is. */
  askedAt: number;
  status: CallPermissions['status'];
  /** End of a temporary permission at Meta; null for the other statuses. */
  expiresAt: number | null;
  canCall: boolean;
  canRequest: boolean;
  limits: CallPermissions['limits'];
};

/** Meta's times are whole seconds: an answer of the same second says nothing of that instant. */
const META_SECOND_MS = 1_000;

/**
 * The answer, or null where it was overtaken: by a later yes of the customer, or by time that
 * gave back what a limit had taken. What was overtaken is not known, so neither yes nor no.
 */
export function answerInForce(
  answer: MetaAnswer | undefined,
  { now, grantedAt }: { now: number; grantedAt: number | null },
): MetaAnswer | null {
  if (answer === undefined) return null;
  if (grantedAt !== null && grantedAt + META_SECOND_MS > answer.askedAt) return null;
  const freed = answer.limits.some(({ resetsAt }) => resetsAt !== null && resetsAt <= now);
  return freed ? null : answer;
}

/**
 * What an answer means for a call. A no counts however old it is; a yes counts for `maxAgeMs`, and
 * only where a pack asks for it at all (null: it does not).
 */
export function judgeAnswer(
  answer: MetaAnswer | null,
  { now, maxAgeMs }: { now: number; maxAgeMs: number | null },
): 'yes' | 'no' | 'unknown' {
  if (answer === null || answer.status === 'unknown') return 'unknown';
  const isOver = answer.expiresAt !== null && answer.expiresAt <= now;
  if (answer.status === 'none' || !answer.canCall || isOver) return 'no';
  return maxAgeMs !== null && now - answer.askedAt > maxAgeMs ? 'unknown' : 'yes';
}
