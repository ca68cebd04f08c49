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
 * What the answer still says now, or null where it says nothing: in a word that we do not know,
 * or overtaken by a later yes of the customer, or by time that gave back what a limit had taken.
 */
export function answerInForce(
  answer: MetaAnswer | undefined,
  { now, grantedAt }: { now: number; grantedAt: number | null },
): MetaAnswer | null {
  if (answer === undefined || answer.status === 'unknown') return null;
  if (grantedAt !== null && grantedAt + META_SECOND_MS > answer.askedAt) return null;
  if (answer.limits.some(({ resetsAt }) => resetsAt !== null && resetsAt <= now)) return null;
  // Meta sends nothing when a temporary permission ends, and a late look must not miss it.
  const isOver = answer.expiresAt !== null && answer.expiresAt <= now;
  return { ...answer, canCall: answer.canCall && answer.status !== 'none' && !isOver };
}
