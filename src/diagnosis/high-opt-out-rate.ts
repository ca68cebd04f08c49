import { check, fault, hint, ok, percent, unknown, type Found } from './check.ts';
import type { Check } from './diagnosis.ts';
import { SAMPLE_MIN } from './low-grant-rate.ts';

export type OptOutRateFacts = {
  days: number;
  /** Customers who were asked or called in that time. */
  reached: number;
  /** Those of all customers who opted out in that time. */
  optOuts: number;
  /** By way: message, call, api … */
  ways: ReadonlyArray<{ way: string; optOuts: number }>;
  /** Opt-outs within a day after a call to that customer. */
  soonAfterCall: number;
  /** Calls that were blocked because they had another purpose than the permission. */
  offPurpose: number;
  calls: {
    placed: number;
    answered: number;
    /** Answered calls that the customer ended within 20 s. */
    cutShort: number;
    /** Customers who got three calls or more within the last 7 days of that time. */
    crowded: number;
    mostPerCustomer: number;
  };
};

/** The page's target ("Metrics to monitor"). */
export const OPT_OUT_RATE_TARGET = 0.05;

/** "High opt-out rate": the page's four checks over the rate itself. */
export function highOptOutRateChecks(facts: OptOutRateFacts): Check[] {
  return [
    check('opt_out_rate', 'Fewer than 5 % of the customers opt out', optOutRate(facts)),
    check('purpose_kept', 'Calls keep to the stated purpose', purposeKept(facts)),
    check('not_too_frequent', 'Calls are not too frequent', notTooFrequent(facts)),
    check('calls_give_value', 'Customers stay on the line', callsGiveValue(facts)),
    check('asked_why', 'It is known what made people leave', askedWhy(facts)),
  ];
}

function optOutRate({ reached, optOuts, days }: OptOutRateFacts): Found {
  const evidence = { days, reached, optOuts, rate: reached === 0 ? null : optOuts / reached };
  const told = `${optOuts} of ${reached} customers in ${days} days (${percent(optOuts, reached)}).`;
  if (reached < SAMPLE_MIN) return unknown(`Too few to tell: ${told}`, null, evidence);
  if (optOuts / reached < OPT_OUT_RATE_TARGET) return ok(told, evidence);
  return hint(told, 'See the checks below; the first that is no "ok" is where to begin.', evidence);
}

function purposeKept({ offPurpose, calls }: OptOutRateFacts): Found {
  const evidence = { offPurpose, placed: calls.placed };
  if (offPurpose === 0) return ok('No call was tried for another purpose.', evidence);
  return fault(
    `${offPurpose} calls were tried for another purpose than the customer was told, and blocked.`,
    'Call for what was asked, or ask again. What agents say on the line is theirs to keep to.',
    evidence,
  );
}

const CROWDED_SHARE = 0.02;

function notTooFrequent({ calls, reached }: OptOutRateFacts): Found {
  const { crowded, mostPerCustomer, placed } = calls;
  if (placed === 0) return unknown('No call was placed.');
  const evidence = { crowded, mostPerCustomer, placed };
  if (crowded === 0 || crowded / Math.max(1, reached) < CROWDED_SHARE) {
    return ok(`Nobody, or nearly nobody, got three calls in a week.`, evidence);
  }
  return fault(
    `${crowded} customers got three calls or more within a week, one of them ${mostPerCustomer}.`,
    'Call less often; set a cap in the account settings.',
    evidence,
  );
}

const CUT_SHORT_SHARE = 0.2;

function callsGiveValue({ calls, soonAfterCall, optOuts }: OptOutRateFacts): Found {
  const { answered, cutShort } = calls;
  if (answered === 0) return unknown('No call was answered.');
  const evidence = { answered, cutShort, soonAfterCall };
  const told =
    `Customers hung up on ${cutShort} of ${answered} calls within 20 s; ${soonAfterCall} of ` +
    `${optOuts} opt-outs came within a day after a call.`;
  const isOften = cutShort / answered >= CUT_SHORT_SHARE;
  const isAfterCalls = optOuts > 0 && soonAfterCall / optOuts >= 0.5;
  if (!isOften && !isAfterCalls) return ok(told, evidence);
  return fault(
    told,
    'Listen to how agents begin: name the business, the purpose, and what the customer gains.',
    evidence,
  );
}

function askedWhy({ ways, optOuts }: OptOutRateFacts): Found {
  if (optOuts === 0) return ok('Nobody opted out.');
  const told = ways.map(({ way, optOuts: count }) => `${count} by ${way}`).join(', ');
  return hint(
    `How people left: ${told}.`,
    'Ask them by mail or in your shop why; in WhatsApp they have had their last message.',
    { ways },
  );
}
