import { check, fault, hint, ok, percent, unknown, type Found } from './check.ts';
import type { Check } from './diagnosis.ts';

/** What became of the requests made with one template in one language. */
export type TemplateRate = {
  template: string;
  language: string;
  /** Without those that Meta could not deliver: nobody was asked by them. */
  sent: number;
  failed: number;
  granted: number;
  declined: number;
  lapsed: number;
  /** What a linter says against the text, worst first. */
  findings: ReadonlyArray<{ rule: string; message: string; fix: string }>;
};

export type GrantRateFacts = {
  days: number;
  templates: readonly TemplateRate[];
  /** Of the latest requests: how many had a purpose that says nothing. */
  purposes: { looked: number; vague: number };
  /** Of the latest requests whose place can be told: how many came between 21:00 and 08:00. */
  night: { looked: number; atNight: number; grantedAtNight: number; grantedByDay: number };
};

/** The page's target ("Metrics to monitor"). */
export const GRANT_RATE_TARGET = 0.6;
/** Fewer say nothing: one more yes would move the rate by more than five points. */
export const SAMPLE_MIN = 20;

/** "Low permission grant rate": the page's four checks over the rate itself. */
export function lowGrantRateChecks(facts: GrantRateFacts): Check[] {
  return [
    check('grant_rate', 'More than 60 % of the requests bring a yes', grantRate(facts)),
    check('value_clear', 'The text makes the value clear', valueClear(facts)),
    check('reason_specific', 'The reason of the call is specific', reasonSpecific(facts)),
    check('time_of_day', 'Requests come at a fit time, not late at night', timeOfDay(facts)),
    check('wording_tested', 'Different wordings were tried', wordingTested(facts)),
  ];
}

function sumOf(templates: readonly TemplateRate[], field: 'sent' | 'granted' | 'failed'): number {
  return templates.reduce((sum, template) => sum + template[field], 0);
}

function grantRate({ templates, days }: GrantRateFacts): Found {
  const sent = sumOf(templates, 'sent');
  const granted = sumOf(templates, 'granted');
  const evidence = {
    days,
    sent,
    granted,
    declined: templates.reduce((sum, { declined }) => sum + declined, 0),
    lapsed: templates.reduce((sum, { lapsed }) => sum + lapsed, 0),
    failed: sumOf(templates, 'failed'),
    rate: sent === 0 ? null : granted / sent,
  };
  const told = `${granted} of ${sent} requests in ${days} days (${percent(granted, sent)}).`;
  if (sent < SAMPLE_MIN) return unknown(`Too few to tell: ${told}`, null, evidence);
  if (granted / sent > GRANT_RATE_TARGET) return ok(told, evidence);
  return hint(told, 'See the checks below; the first that is no "ok" is where to begin.', evidence);
}

function valueClear({ templates }: GrantRateFacts): Found {
  const used = templates.filter(({ sent }) => sent > 0);
  if (used.length === 0) return unknown('No request was sent.');
  const faulty = used.filter(({ findings }) => findings.length > 0);
  const [worst] = faulty.toSorted((a, b) => b.sent - a.sent);
  const finding = worst?.findings[0];
  if (worst === undefined || finding === undefined) {
    return ok('The texts in use keep the guidelines.');
  }
  const rules = faulty.map(({ template, language, findings }) => ({
    template,
    language,
    rules: findings.map(({ rule }) => rule),
  }));
  return fault(`${worst.template} (${worst.language}): ${finding.message}`, finding.fix, {
    templates: rules,
  });
}

/** Every tenth request without a reason is a habit. */
const VAGUE_SHARE = 0.1;

function reasonSpecific({ purposes }: GrantRateFacts): Found {
  const { looked, vague } = purposes;
  if (looked === 0) return unknown('No request was sent.');
  const told = `${vague} of the latest ${looked} requests had a purpose that says nothing.`;
  if (vague / looked < VAGUE_SHARE) return ok(told, purposes);
  return fault(told, 'Say what the call is about, such as "your order 1042".', purposes);
}

const NIGHT_SHARE = 0.05;

function timeOfDay({ night }: GrantRateFacts): Found {
  const { looked, atNight, grantedAtNight, grantedByDay } = night;
  if (looked === 0) return unknown("No request's place could be told.");
  const byDay = looked - atNight;
  const told =
    `${atNight} of ${looked} came between 21:00 and 08:00 at the customer's place ` +
    `(${percent(grantedAtNight, atNight)} of them a yes; by day ${percent(grantedByDay, byDay)}).`;
  if (atNight / looked < NIGHT_SHARE) return ok(told, night);
  return fault(told, 'Ask by day, right before you want to call.', night);
}

/** Points between two wordings that are no accident at this sample. */
const BETTER_BY = 0.1;

function wordingTested({ templates }: GrantRateFacts): Found {
  const tried = templates
    .filter(({ sent }) => sent >= SAMPLE_MIN)
    .map((it) => ({ ...it, rate: it.granted / it.sent }))
    .toSorted((a, b) => b.rate - a.rate);
  const evidence = {
    templates: tried.map(({ template, language, sent, rate }) => ({
      template,
      language,
      sent,
      rate,
    })),
  };
  const [best] = tried;
  const worst = tried.at(-1);
  if (best === undefined || worst === undefined) {
    return unknown(`No wording has ${SAMPLE_MIN} requests yet.`, null, evidence);
  }
  if (tried.length === 1) {
    const fix = 'Send a second wording to every other customer, and compare after 100 requests.';
    return hint('Only one wording was tried.', fix, evidence);
  }
  const told =
    `${best.template} (${best.language}) brings ${percent(best.granted, best.sent)}, ` +
    `${worst.template} (${worst.language}) ${percent(worst.granted, worst.sent)}.`;
  if (best.rate - worst.rate < BETTER_BY) return ok(told, evidence);
  return hint(told, `Use ${best.template} (${best.language}).`, evidence);
}
