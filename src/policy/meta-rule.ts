import type { PartyFacts, RuleOutcome } from './policy.ts';
import { notApplicable, pass, refuse } from './party-rules.ts';

/**
 * Meta's own answer may only forbid. A no counts whenever it is known; whether there must be a
 * fresh yes right before the dial is the pack's choice (user call permissions page: `GET
 * call_permissions`). `maxAgeMs` null: nobody needs to have asked. Before the dial (`isDial` is
 * false), as for a later time that is only asked about, no fresh answer can be had: a warning.
 */
export function judgeMeta(
  { metaAnswer, now }: PartyFacts,
  maxAgeMs: number | null,
  what: 'call' | 'request',
  isDial = true,
): RuleOutcome {
  const askedAt = metaAnswer?.askedAt ?? null;
  const evidence = { askedAt };
  if (metaAnswer !== null && !(what === 'call' ? metaAnswer.canCall : metaAnswer.canRequest)) {
    const message = `Asked for the permission, Meta allows no ${what}.`;
    return refuse('meta_says_no', message, { evidence });
  }
  if (maxAgeMs === null) {
    return metaAnswer === null
      ? notApplicable('Meta need not be asked for this yet.')
      : pass(`Meta allows the ${what}.`, evidence);
  }
  if (metaAnswer === null || metaAnswer.askedAt + maxAgeMs <= now) {
    if (!isDial) {
      const message =
        'Whether Meta allows the call is known only right before it; Meta is asked then.';
      return { verdict: 'warn', message, evidence };
    }
    const message = 'Meta was not asked lately whether this call is allowed.';
    return refuse('meta_answer_unknown', message, { evidence });
  }
  return pass('Meta allows the call.', evidence);
}
