import { callRefusal, permissionOf, type ConsentState } from '../consent/consent.ts';
import { answerInForce, type MetaAnswer } from '../meta-answers/meta-answer.ts';
import {
  lookWith,
  check,
  fault,
  hint,
  numberFound,
  ok,
  refused,
  time,
  unknown,
  type Found,
  type NumberFacts,
} from './check.ts';
import type { Check } from './diagnosis.ts';

/** What the gate said when it was asked now, one row per rule. */
export type GateVerdict = {
  rule: string;
  verdict: string;
  code: string | null;
  message: string;
  fix: string | null;
};

export type CallDeniedFacts = NumberFacts & {
  now: number;
  consent: ConsentState;
  /** Meta's answer just now; null when Meta could not be asked. */
  metaAnswer: MetaAnswer | null;
  gate: readonly GateVerdict[];
  /** The last refusal on record, for this customer on this line. */
  lastRefusal: { at: number; code: string } | null;
};

/** Rules whose matter has a check of its own here. */
const TOLD_ABOVE = new Set(['permission_live', 'meta_allows', 'number_known']);

/** "Call fails with permission denied": the page's four checks, then what only we can look at. */
export function callDeniedChecks(facts: CallDeniedFacts): Check[] {
  const look = lookWith(facts);
  return [
    check('number_right', 'The number is right and on WhatsApp', numberFound(facts)),
    check('permission_granted', 'The customer has granted permission', look(granted)),
    check('permission_not_revoked', 'The permission was not taken back', look(notRevoked)),
    check('permission_not_expired', 'The permission has not expired', look(notExpired)),
    check('permission_unused', 'The permission has not served a call', look(unused)),
    check('meta_agrees', 'Meta says that the call is allowed', look(metaAgrees)),
    check('other_rules', 'No other rule of the policy stands against it', look(otherRules)),
    check('last_refusal', 'What the last refused call was refused for', look(lastRefusal)),
  ];
}

function granted({ consent, now }: CallDeniedFacts): Found {
  const permission = permissionOf(consent);
  if (permission !== null) {
    const { permissionId, grantedAt } = permission;
    return ok('The customer said yes.', { permissionId, grantedAt: time(grantedAt) });
  }
  if (consent.status === 'revoked') {
    return unknown('There is no yes to look at: the customer said no to calls.');
  }
  const refusal = callRefusal(consent, now);
  return refusal === null ? ok('A call is allowed.') : refused(refusal);
}

function notRevoked({ consent }: CallDeniedFacts): Found {
  if (consent.status !== 'revoked') return ok('Nobody took it back.');
  const { revokedAt, revokedBy, reason } = consent;
  return fault(
    `It was taken back (by ${revokedBy}).`,
    revokedBy === 'opt_out'
      ? 'Do not call. Only the customer can opt in again.'
      : 'Ask the customer again, with a better reason.',
    { revokedAt: time(revokedAt), revokedBy, reason },
  );
}

function notExpired({ consent, now }: CallDeniedFacts): Found {
  const permission = permissionOf(consent);
  if (permission === null) return unknown('There is no permission that could expire.');
  const { expiresAt } = permission;
  // A permanent permission has no end of its own.
  if (!Number.isFinite(expiresAt) || (consent.status !== 'expired' && now < expiresAt)) {
    return ok('It is within its time.', { expiresAt: endOf(expiresAt) });
  }
  return fault(
    `It expired at ${time(expiresAt)}.`,
    'Ask again right before you want to call, within minutes.',
    { expiresAt: time(expiresAt) },
  );
}

function endOf(expiresAt: number | null): string | null {
  return expiresAt === null || !Number.isFinite(expiresAt) ? null : time(expiresAt);
}

function unused({ consent }: CallDeniedFacts): Found {
  if (consent.status !== 'used') return ok('No call has used it up.');
  return fault('One permission is one call, and it was placed.', 'Ask for a new permission.', {
    usedByCallId: consent.usedByCallId,
    usedAt: time(consent.usedAt),
  });
}

function metaAgrees({ metaAnswer, now }: CallDeniedFacts): Found {
  if (metaAnswer === null) {
    return unknown(
      'Meta could not be asked just now.',
      'Look at the line: GET /v1/lines/{id}/go-live.',
    );
  }
  const { status, canCall, limits } = metaAnswer;
  const full = limits.filter(({ action, max, used }) => action === 'start_call' && used >= max);
  const evidence = { status, canCall, limits: full };
  const said = answerInForce(metaAnswer, { now, grantedAt: null });
  if (said === null) return unknown('Meta answered in a word that we do not know.', null, evidence);
  if (said.canCall) return ok('Meta allows a call.', evidence);
  return full.length > 0
    ? fault("Meta's limit of calls to this customer is reached.", 'Wait.', evidence)
    : fault('Meta knows of no permission.', 'Ask the customer for permission.', evidence);
}

function otherRules({ gate }: CallDeniedFacts): Found {
  const others = gate.filter(({ rule, verdict }) => verdict === 'refuse' && !TOLD_ABOVE.has(rule));
  const [first] = others;
  if (first === undefined) return ok('Every other rule lets the call pass.');
  const codes = others.map(({ rule, code }) => ({ rule, code }));
  return fault(first.message, first.fix ?? 'See GET /v1/eligibility.', { rules: codes });
}

function lastRefusal({ lastRefusal: last }: CallDeniedFacts): Found {
  if (last === null) return ok('No call to this customer was refused.');
  return hint(`The last call was refused at ${time(last.at)}.`, `See /docs/errors/${last.code}.`, {
    code: last.code,
    at: time(last.at),
  });
}
