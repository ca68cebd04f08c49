/**
 * The gate: may this call be placed, may this request be sent, right now? A pure function over
 * plain facts and dated layers of rules. Every rule of every layer is asked, so the answer shows
 * all that stands in the way; the first that refuses gives the refusal. The dial, the API, the
 * page and the CLI use the same function, so none of them can be more lenient than another.
 */
import { NEVER, permissionOf, type ConsentState } from '../consent/consent.ts';
import type { Refusal } from '../platform/refusal.ts';
import { allowedFrom, latestAllowed } from './call-times.ts';
import { CALL_RULES } from './call-rules.ts';
import { layerNames, limitingLayers, type Layer, type Layers } from './layers.ts';
import { promiseSpan } from './limit-rules.ts';
import type { RuleSource } from './limits.ts';
import {
  packEnd,
  sourceOf,
  type LimitRuleName,
  type PackRuleName,
  type PolicyPack,
} from './policy-pack.ts';
import type { RuleName } from './policy-pack.ts';
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
    /** Since when the account has stopped everything; null or absent while it runs. */
    stoppedAt?: number | null;
    /** Since when the line's brakes have paused it; null or absent while it runs. */
    pausedAt?: number | null;
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
    /** The IANA zone where the operator knows it; else the number tells all possible ones. */
    timeZone: string | null;
  };
  consent: ConsentState;
  history: PersonHistory;
  /** Meta's own answer, where it was asked and nothing has overtaken it since. */
  metaAnswer: { askedAt: number; canCall: boolean; canRequest: boolean } | null;
  purpose: string;
};

/** What the limits count over all lines of the account; see `personHistory`. */
export type PersonHistory = {
  /** When the person was dialled, oldest first. */
  callsAt: readonly number[];
  /** Their last no, unless a yes came after it. */
  refusedAt: number | null;
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
  /** Live calls of the line, where the asker knows; null leaves that to the dialer. */
  lineLiveCalls: number | null;
};

export type RequestFacts = PartyFacts & {
  /** Set for a MARKETING template: when the customer was last heard on this line. */
  marketing?: { lastInboundAt: number | null };
};

/** What one rule says. A warning allows: it tells of a no that is near, or may yet come. */
export type RuleOutcome =
  | {
      verdict: 'pass' | 'warn' | 'not_applicable';
      message: string;
      evidence?: Record<string, unknown>;
    }
  | {
      verdict: 'refuse';
      code: RefusalCode;
      message: string;
      fix: string;
      /** From when on this rule would allow it, when time alone will do. */
      allowedAt?: number;
      evidence?: Record<string, unknown>;
    };

/** A rule that only the pack has a say in. */
export type PackRule<Facts> = {
  name: PackRuleName;
  check: (facts: Facts, pack: PolicyPack) => RuleOutcome;
};

/** A rule whose numbers any layer may set; null where this layer does not. */
export type LimitRule<Facts> = {
  name: LimitRuleName;
  checkLayer: (facts: Facts, layer: Layer) => LimitOutcome | null;
};
export type LimitOutcome = RuleOutcome & { source: RuleSource };

/** In the order in which they are asked: the first that refuses gives the refusal. */
export type Rules<Facts> = ReadonlyArray<PackRule<Facts> | LimitRule<Facts>>;

/** What one rule of one layer said: the shape that verdicts are stored and shown in. */
export type Verdict = {
  rule: RuleName;
  /** The name of the pack or overlay, `account`, or `none` where no layer limits it. */
  layer: string;
  verdict: 'pass' | 'warn' | 'refuse' | 'not_applicable';
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
  /** The pack and every layer that narrows it. */
  layers: string[];
  /** Every rule's verdict, in the order of the rules and layers. */
  verdicts: Verdict[];
  /**
   * What the first refusing rule said; null when allowed. Its `allowedAt` is the next instant at
   * which every rule of every layer allows it, as far as is known now.
   */
  refusal: Refusal | null;
};

/** May this call be placed now? */
export function evaluateCall(facts: CallFacts, layers: Layers): Decision {
  return decide(CALL_RULES, facts, layers);
}

/** May this customer be asked for permission now? */
export function evaluateRequest(facts: RequestFacts, layers: Layers): Decision {
  return decide(REQUEST_RULES, facts, layers);
}

/**
 * The last instant from `facts.now` on at which this call would be allowed; null when there is
 * none, or where nothing but a no ends the permission.
 */
export function latestAllowedCall(facts: CallFacts, layers: Layers): number | null {
  const permission = permissionOf(facts.consent);
  if (permission === null) return null;
  let until = Math.min(permission.expiresAt, packEnd(permission, layers.pack));
  for (const { limits } of limitingLayers(layers)) {
    const { promise } = limits;
    if (promise !== undefined) until = Math.min(until, promiseSpan(promise, permission).until);
  }
  if (until >= NEVER) return null;
  return latestAllowed(facts.now, until, (now) =>
    verdictsOf(CALL_RULES, { ...facts, now }, layers).every(({ verdict }) => verdict !== 'refuse'),
  );
}

function decide<Facts extends PartyFacts>(
  rules: Rules<Facts>,
  facts: Facts,
  layers: Layers,
): Decision {
  const verdicts = verdictsOf(rules, facts, layers);
  const first = verdicts.find(({ verdict }) => verdict === 'refuse');
  const at = (now: number): Verdict[] => verdictsOf(rules, { ...facts, now }, layers);
  return {
    allowed: first === undefined,
    packName: layers.pack.name,
    layers: layerNames(layers),
    verdicts,
    refusal:
      first === undefined ? null : refusalOf(first, layers, allowedFrom(verdicts, facts.now, at)),
  };
}

function verdictsOf<Facts>(rules: Rules<Facts>, facts: Facts, layers: Layers): Verdict[] {
  const { pack } = layers;
  const limiting = limitingLayers(layers);
  return rules.flatMap((rule) =>
    'check' in rule ? packVerdict(rule, facts, pack) : limitVerdicts(rule, facts, limiting),
  );
}

function packVerdict<Facts>(rule: PackRule<Facts>, facts: Facts, pack: PolicyPack): Verdict {
  const { name } = rule;
  const source = sourceOf(pack, name);
  if (source === null) {
    const silent = { verdict: 'not_applicable', message: 'The pack does not ask this.' } as const;
    return verdictOf(name, pack.name, pack.name, silent);
  }
  return verdictOf(name, pack.name, source, rule.check(facts, pack));
}

function limitVerdicts<Facts>(
  rule: LimitRule<Facts>,
  facts: Facts,
  layers: readonly Layer[],
): Verdict[] {
  const { name } = rule;
  const verdicts = layers.flatMap((layer) => {
    const outcome = rule.checkLayer(facts, layer);
    if (outcome === null) return [];
    const { section, sentence } = outcome.source;
    return [verdictOf(name, layer.name, `${layer.name}, ${section}: ${sentence}`, outcome)];
  });
  if (verdicts.length > 0) return verdicts;
  const silent = { verdict: 'not_applicable', message: 'No layer limits this.' } as const;
  return [verdictOf(name, 'none', 'none', silent)];
}

function verdictOf(rule: RuleName, layer: string, source: string, outcome: RuleOutcome): Verdict {
  const refused = outcome.verdict === 'refuse' ? outcome : null;
  return {
    rule,
    layer,
    verdict: outcome.verdict,
    code: refused?.code ?? null,
    message: outcome.message,
    fix: refused?.fix ?? null,
    allowedAt: refused?.allowedAt ?? null,
    source,
    evidence: outcome.evidence ?? {},
  };
}

function refusalOf(verdict: Verdict, layers: Layers, allowedAt: number | null): Refusal {
  const policyLayers = layerNames(layers);
  return {
    code: verdict.code ?? 'refused',
    message: verdict.message,
    fix: verdict.fix ?? '',
    rule: verdict.rule,
    evidence: { ...verdict.evidence, policyPack: layers.pack.name, policyLayers },
    ...(allowedAt === null ? {} : { allowedAt }),
  };
}
