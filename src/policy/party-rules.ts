import type { PackRule, PartyFacts, RuleOutcome } from './policy.ts';
import type { PolicyPack } from './policy-pack.ts';
import { REFUSALS, type RefusalCode } from './refusal-codes.ts';

/** Rules about who asks or calls whom; they bind a call and a request alike. */

export function pass(message: string, evidence: Record<string, unknown> = {}): RuleOutcome {
  return { verdict: 'pass', message, evidence };
}

export function notApplicable(message: string): RuleOutcome {
  return { verdict: 'not_applicable', message };
}

/** A refusal with the catalogue's fix, unless the rule knows a better one. */
export function refuse(
  code: RefusalCode,
  message: string,
  more: { fix?: string; allowedAt?: number; evidence?: Record<string, unknown> } = {},
): RuleOutcome {
  return { verdict: 'refuse', code, message, fix: REFUSALS[code].fix, ...more };
}

const lineEnabled: PackRule<PartyFacts> = {
  name: 'line_enabled',
  check({ line: { enabled, stoppedAt = null, pausedAt = null } }) {
    if (!enabled) return refuse('line_disabled', 'This line is switched off.');
    if (stoppedAt !== null) {
      const evidence = { stoppedAt };
      return refuse('account_stopped', 'Everything of this account is stopped.', { evidence });
    }
    if (pausedAt === null) return pass('The line is enabled.');
    return refuse('line_paused', 'The brakes of this line have paused it.', {
      evidence: { pausedAt },
    });
  },
};

/** Meta restricts numbers that customers complain about; see its `account_update` webhook. */
const lineNotRestricted: PackRule<PartyFacts> = {
  name: 'line_not_restricted',
  check({ line, now }) {
    const until = line.restrictedUntil;
    if (until === null || now >= until) return pass('Meta does not restrict the line.');
    return refuse('line_restricted', 'Meta restricts calling on this line.', {
      allowedAt: until,
      evidence: { restrictedUntil: until },
    });
  },
};

/** A user id (BSUID) says nothing of the place, so the rules about countries need the number. */
const numberKnown: PackRule<PartyFacts> = {
  name: 'number_known',
  check: ({ contact }) =>
    contact.e164 === null
      ? refuse('number_unknown', 'This contact has no phone number.')
      : pass("The customer's number is known."),
};

/** Where Meta does not offer business-initiated calling at all. */
const businessCountry: PackRule<PartyFacts> = {
  name: 'business_country',
  check({ line }, pack) {
    const { country } = line;
    if (country === null) {
      return refuse('country_unknown', 'The country of the business number cannot be told.');
    }
    const blocked = blockedAs(country, pack.countries.businessBlocked, pack);
    if (blocked === null) return pass('The business number is of an open country.', { country });
    return refuse(
      'business_country_blocked',
      `Business-initiated calls are not available for numbers of ${blocked}.`,
      { evidence: { country, blocked } },
    );
  },
};

/**
 * Meta lets the customer be anywhere; the page warns of serving customers in these countries, and
 * the strict pack takes the warning as a ban.
 */
const customerCountry: PackRule<PartyFacts> = {
  name: 'customer_country',
  check({ contact }, pack) {
    const { country } = contact;
    if (contact.e164 === null) return notApplicable('There is no number to judge.');
    if (country === null) {
      return refuse('country_unknown', "The country of the customer's number cannot be told.");
    }
    const blocked = blockedAs(country, pack.countries.customerBlocked, pack);
    if (blocked === null) return pass('The customer is in an open country.', { country });
    return refuse(
      'customer_country_blocked',
      `Business-initiated calls to customers in ${blocked} are not allowed.`,
      { evidence: { country, blocked } },
    );
  },
};

/** Both sides count: nobody calls into such a place, nobody calls out of it. */
const sanctioned: PackRule<PartyFacts> = {
  name: 'sanctioned',
  check({ line, contact }, pack) {
    if (contact.sanctionedRegion) {
      return refuse(
        'sanctioned_place',
        'The operator marked this customer as in a sanctioned region.',
        {
          evidence: { party: 'customer', known: 'operator' },
        },
      );
    }
    for (const [party, side] of [
      ['business', line],
      ['customer', contact],
    ] as const) {
      const place = sanctionedPlace(side, pack);
      if (place === null) continue;
      return refuse('sanctioned_place', `All calling is blocked in ${place} (${party} number).`, {
        evidence: { party, place },
      });
    }
    return pass('Neither number is of a sanctioned place.');
  },
};

/** The person's own word is named before a list, so that the agent is told the real reason. */
const doNotCall: PackRule<PartyFacts> = {
  name: 'do_not_call',
  check({ contact }) {
    if (contact.optedOutAt !== null) {
      return refuse('opted_out', 'The customer opted out of calls.', {
        evidence: { optedOutAt: contact.optedOutAt },
      });
    }
    if (contact.doNotCall) {
      return refuse('do_not_call', 'The customer is on the do-not-call list.');
    }
    // A list stands for good, so it is named before a block that an answer can lift.
    if (contact.optOutPendingAt !== null) {
      return refuse('opt_out_pending', 'The customer was asked whether to stop all calls.', {
        evidence: { optOutPendingAt: contact.optOutPendingAt },
      });
    }
    return pass('The customer is on no do-not-call list.');
  },
};

export const PARTY_RULES: ReadonlyArray<PackRule<PartyFacts>> = [
  lineEnabled,
  lineNotRestricted,
  numberKnown,
  businessCountry,
  customerCountry,
  sanctioned,
  doNotCall,
];

/** The blocked country that `country` is or belongs to, else null. */
function blockedAs(country: string, blocked: readonly string[], pack: PolicyPack): string | null {
  const means = (name: string): boolean =>
    name === country || (pack.countries.alsoMeans[name]?.includes(country) ?? false);
  return blocked.find(means) ?? null;
}

function sanctionedPlace(
  side: { e164: string | null; country: string | null },
  pack: PolicyPack,
): string | null {
  const { countries, prefixes } = pack.sanctioned;
  if (side.country !== null && countries.includes(side.country)) return side.country;
  if (side.e164 === null) return null;
  // A number written with spaces must not slip past a prefix.
  const e164 = `+${side.e164.replace(/\D/g, '')}`;
  return prefixes.find(({ prefix }) => e164.startsWith(prefix))?.region ?? null;
}
