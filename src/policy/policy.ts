/**
 * The gate: may this call be placed, may this request be sent, right now? A pure function over
 * plain facts and a dated pack. Every rule is asked, so the answer shows all that stands in the
 * way; the first that refuses gives the refusal. The dial, the API, the page and the CLI use
 * the same function, so none of them can be more lenient than another.
 */
import type { ConsentState } from '../consent/consent.ts';
import type { Refusal } from '../platform/refusal.ts';
import { CALL_RULES } from './call-rules.ts';
import { sourceOf, type PolicyPack, type RuleName } from './policy-pack.ts';
import type { RefusalCode } from './refusal-codes.ts';
import { REQUEST_RULES } from './request-rules.ts';

/** What is asked of both a call and a request. */
export type PartyFacts = {
  /** Our clock, milliseconds since 1970. */
  now: number;
  line: {
    enabled: boolean;
    /** Meta's restriction ends then; null when there is none. */
    restrictedUntil: number | null;
    /** The business number. */
    e164: string;
    /** ISO 3166-1 alpha-2 of that number; null when it cannot be told. */
    country: string | null;
  };
  contact: {
    /** Null for a contact known only by a user id. */
    e164: string | null;
    country: string | null;
    /** Whether any do-not-call list has the person; read in the same transaction as the dial. */
    doNotCall: boolean;
    optedOutAt: number | null;
    /** Set while the person is asked whether a message of theirs meant stop. */
    optOutPendingAt: number | null;
    /** The operator's flag for what a number cannot tell; see the pack's `cannotTell`. */
    sanctionedRegion: boolean;
  };
  consent: ConsentState;
  purpose: string;
};

export type CallFacts = PartyFacts & {
  /**
   * The call itself when it already holds the permission (the second look right before the
   * dial); null when it is only being asked for.
   */
  callId: string | null;
  /** Calls to this contact that have not ended, queued ones included. */
  liveCallIds: readonly string[];
  /** Whether the call's endpoint exists. */
  endpointKnown: boolean;
};

export type RequestFacts = PartyFacts;

/** What one rule says. */
export type RuleOutcome =
  | { verdict: 'pass' | 'not_applicable'; message: string; evidence?: Record<string, unknown> }
  | {
      verdict: 'refuse';
      code: RefusalCode;
      message: string;
      fix: string;
      /** From when on it would be allowed, when time alone will do. */
      allowedAt?: number;
      evidence?: Record<string, unknown>;
    };

export type Rule<Facts> = {
  name: RuleName;
  check: (facts: Facts, pack: PolicyPack) => RuleOutcome;
};

/** What one rule said, with its source: the shape that verdicts are stored and shown in. */
export type Verdict = {
  rule: RuleName;
  verdict: 'pass' | 'refuse' | 'not_applicable';
  code: RefusalCode | null;
  message: string;
  fix: string | null;
  allowedAt: number | null;
  source: string;
  evidence: Record<string, unknown>;
};

export type Decision = {
  allowed: boolean;
  packName: string;
  /** Every rule's verdict, in the order of the rules. */
  verdicts: Verdict[];
  /** What the first refusing rule said; null when allowed. */
  refusal: Refusal | null;
};

/** May this call be placed now? */
export function evaluateCall(facts: CallFacts, pack: PolicyPack): Decision {
  return evaluate(CALL_RULES, facts, pack);
}

/** May this customer be asked for permission now? */
export function evaluateRequest(facts: RequestFacts, pack: PolicyPack): Decision {
  return evaluate(REQUEST_RULES, facts, pack);
}

function evaluate<Facts>(
  rules: ReadonlyArray<Rule<Facts>>,
  facts: Facts,
  pack: PolicyPack,
): Decision {
  const verdicts = rules.map((rule) => verdictOf(rule, facts, pack));
  const first = verdicts.find((verdict) => verdict.verdict === 'refuse');
  return {
    allowed: first === undefined,
    packName: pack.name,
    verdicts,
    refusal: first === undefined ? null : refusalOf(first, pack),
  };
}

function verdictOf<Facts>(rule: Rule<Facts>, facts: Facts, pack: PolicyPack): Verdict {
  const outcome = rule.check(facts, pack);
  const refused = outcome.verdict === 'refuse' ? outcome : null;
  return {
    rule: rule.name,
    verdict: outcome.verdict,
    code: refused?.code ?? null,
    message: outcome.message,
    fix: refused?.fix ?? null,
    allowedAt: refused?.allowedAt ?? null,
    source: sourceOf(pack, rule.name),
    evidence: outcome.evidence ?? {},
  };
}

function refusalOf(verdict: Verdict, pack: PolicyPack): Refusal {
  return {
    code: verdict.code ?? 'refused',
    message: verdict.message,
    fix: verdict.fix ?? '',
    rule: verdict.rule,
    evidence: { ...verdict.evidence, policyPack: pack.name },
    ...(verdict.allowedAt === null ? {} : { allowedAt: verdict.allowedAt }),
  };
}
