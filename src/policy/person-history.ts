import type { ConsentState } from '../consent/consent.ts';
import type { PersonHistory } from './policy.ts';

/** What the laws count of a person, over all lines of the account. */
export function personHistory(consents: readonly ConsentState[]): PersonHistory {
  const callsAt = consents.flatMap(({ history }) => history.callsAt).sort((a, b) => a - b);
  let refusedAt: number | null = null;
  let allowedAt = -Infinity;
  for (const { history } of consents) {
    const answer = history.lastAnswer;
    if (answer === null || answer.by === 'operator' || answer.by === 'api') continue;
    if (answer.kind === 'accept') allowedAt = Math.max(allowedAt, answer.at);
    // Meta's own taking back is no word of the person.
    else if (answer.by !== 'meta') refusedAt = Math.max(refusedAt ?? -Infinity, answer.at);
  }
  return { callsAt, refusedAt: refusedAt !== null && refusedAt >= allowedAt ? refusedAt : null };
}
