import { requestWhileLiveRefusal } from '../consent/consent.ts';
import { notApplicable, PARTY_RULES, pass, refuse } from './party-rules.ts';
import { REQUEST_LIMIT_RULES } from './limit-rules.ts';
import { judgeMeta } from './meta-rule.ts';
import type { PackRule, RequestFacts, RuleOutcome, Rules } from './policy.ts';
import type { Refusal } from '../platform/refusal.ts';
import type { RefusalCode } from './refusal-codes.ts';
import { purposeProblem } from './purpose.ts';

/** Rules that only a permission request must pass. */

const notLive: PackRule<RequestFacts> = {
  name: 'not_live',
  check: ({ consent, now }) =>
    refusedBy(requestWhileLiveRefusal(consent, now)) ?? pass('No unused permission is live.'),
};

const purposeSpecific: PackRule<RequestFacts> = {
  name: 'purpose_specific',
  check({ purpose }, pack) {
    if (pack.purpose === null) return notApplicable('The pack asks for no purpose.');
    const problem = purposeProblem(purpose, pack.purpose);
    if (problem === null) return pass('The purpose tells the customer why.');
    return refuse('purpose_not_specific', problem, {
      evidence: { length: Array.from(purpose).length },
    });
  },
};

const metaAllows: PackRule<RequestFacts> = {
  name: 'meta_allows',
  check: (facts) => judgeMeta(facts, null, 'request'),
};

export const REQUEST_RULES: Rules<RequestFacts> = [
  ...PARTY_RULES,
  notLive,
  ...REQUEST_LIMIT_RULES,
  purposeSpecific,
  metaAllows,
];

/** The consent decider judges requests too; the gate uses its words, so the two agree. */
function refusedBy(refusal: (Refusal & { code: RefusalCode }) | null): RuleOutcome | null {
  return refusal === null ? null : { verdict: 'refuse', ...refusal };
}
