import { requestLimitRefusal, requestWhileLiveRefusal } from '../consent/consent.ts';
import { PARTY_RULES, pass, refuse } from './party-rules.ts';
import type { RequestFacts, Rule, RuleOutcome } from './policy.ts';
import type { Refusal } from '../platform/refusal.ts';
import { consentRules } from './policy-pack.ts';
import type { RefusalCode } from './refusal-codes.ts';
import { purposeProblem } from './purpose.ts';

/** Rules that only a permission request must pass. */

const notLive: Rule<RequestFacts> = {
  name: 'not_live',
  check: ({ consent, now }) =>
    refusedBy(requestWhileLiveRefusal(consent, now)) ?? pass('No unused permission is live.'),
};

const requestLimit: Rule<RequestFacts> = {
  name: 'request_limit',
  check: ({ consent, now }, pack) =>
    refusedBy(requestLimitRefusal(consent, { now, rules: consentRules(pack) })) ??
    pass('The customer was not asked too often.', {
      requestsWithoutYes: consent.history.requestsWithoutYes,
    }),
};

const purposeSpecific: Rule<RequestFacts> = {
  name: 'purpose_specific',
  check({ purpose }, pack) {
    const problem = purposeProblem(purpose, pack.purpose);
    if (problem === null) return pass('The purpose tells the customer why.');
    return refuse('purpose_not_specific', problem, {
      evidence: { length: Array.from(purpose).length },
    });
  },
};

export const REQUEST_RULES: ReadonlyArray<Rule<RequestFacts>> = [
  ...PARTY_RULES,
  notLive,
  requestLimit,
  purposeSpecific,
];

/** The consent decider judges requests too; the gate uses its words, so the two agree. */
function refusedBy(refusal: (Refusal & { code: RefusalCode }) | null): RuleOutcome | null {
  return refusal === null ? null : { verdict: 'refuse', ...refusal };
}
