import type { GatePorts } from '../calls/call-gate.ts';
import { readContacts } from '../contacts/contact-store.ts';
import { estimateCost, estimateMessages, pulsesOf, sumOfAmounts } from '../costs/cost-estimate.ts';
import type { PriceTable } from '../costs/price-table.ts';
import type { Queryable } from '../database/database.ts';
import { readSums } from '../kpis/kpi-query-store.ts';
import { noMeasures } from '../kpis/kpis.ts';
import type { LedgerPorts } from '../ledger/contact-unit.ts';
import { CAMPAIGN_LIMITS, type Campaign } from './campaign.ts';
import { judgePerson, type CampaignPlan } from './campaign-gate.ts';
import { listMembers, waitingElsewhere } from './member-list-store.ts';
import { factsFor } from './plan-lookup.ts';
import {
  counted,
  expectedCalls,
  knownRate,
  type CampaignPreview,
  type ExpectedFigures,
} from './preview.ts';
import { saveCounted, type HeldWork } from './work-store.ts';

export type PreviewPorts = LedgerPorts & GatePorts & { prices: PriceTable | null };

/** The rates of the next people are taken from so many days before. */
const DAYS_BACK = 28;
const DAY_MS = 86_400_000;
const PULSES_PER_MINUTE = 10;

/**
 * Looks at one page of people more and keeps the sums; true while there is more to look at. A
 * worker that dies between pages is followed by one that goes on behind the last page.
 */
export async function previewPage(
  ports: PreviewPorts,
  campaign: Campaign,
  plan: CampaignPlan,
  work: HeldWork & { preview: CampaignPreview },
): Promise<boolean> {
  const { database, clock } = ports;
  const { preview: before } = work;
  const limit = CAMPAIGN_LIMITS.page;
  const filter = { state: 'waiting' as const, reason: null, after: before.after, limit };
  const members = await listMembers(database, campaign.id, filter);
  const ids = members.map(({ id }) => id);
  const contacts = await readContacts(database, ids);
  const { facts, people } = await factsFor(database, ports, plan, contacts);
  const now = clock.now();
  const judged = people.map((person) => judgePerson(ports, facts, plan, person, now));
  const preview = counted(before, {
    judged,
    looked: members.length,
    after: ids.at(-1) ?? before.after,
    elsewhere: await waitingElsewhere(database, campaign, ids),
  });
  const isMore = members.length === limit;
  await saveCounted(database, work, isMore ? preview : await ended(ports, plan, preview));
  return isMore;
}

/** What is told where nothing can be worked out, such as when the journey was deleted. */
export function failedPreview(preview: CampaignPreview, now: number): CampaignPreview {
  return { ...preview, state: 'failed', finishedAt: now };
}

async function ended(
  ports: PreviewPorts,
  plan: CampaignPlan,
  preview: CampaignPreview,
): Promise<CampaignPreview> {
  const { clock, database, prices } = ports;
  const now = clock.now();
  const expected = await expectedOf(database, { prices, plan, preview, now });
  return { ...preview, state: 'done', finishedAt: now, expected };
}

type Expecting = {
  prices: PriceTable | null;
  plan: CampaignPlan;
  preview: CampaignPreview;
  now: number;
};

/** What the line's figures of the last weeks say of these people; unknown where they are few. */
async function expectedOf(db: Queryable, expecting: Expecting): Promise<ExpectedFigures> {
  const { plan, preview, now } = expecting;
  const { accountId, id: line } = plan.line;
  const span = { accountId, from: now - DAYS_BACK * DAY_MS, until: now };
  const [sums] = await readSums(db, { ...span, filters: { line }, groupBy: null, period: null });
  const measures = sums?.measures ?? noMeasures();
  const grantRate = knownRate(measures.requests_granted, measures.requests_decided);
  const answerRate = knownRate(measures.calls_answered, measures.calls_reached);
  const talkSeconds = knownRate(measures.talk_ms / 1_000, measures.talk_calls);
  const { reachable, askable } = preview;
  const grants = grantRate.value === null && askable > 0 ? null : askable * (grantRate.value ?? 0);
  const calls = expectedCalls({ reachable, askable }, grantRate);
  const answers =
    calls === null || (answerRate.value === null && calls > 0)
      ? null
      : calls * (answerRate.value ?? 0);
  const minutes =
    answers === null || (talkSeconds.value === null && answers > 0)
      ? null
      : (answers * (talkSeconds.value ?? 0)) / 60;
  const rates = { grantRate, answerRate, talkSeconds };
  return { ...rates, grants, calls, answers, minutes, ...costOf(expecting, rates) };
}

type Rates = Pick<ExpectedFigures, 'grantRate' | 'answerRate' | 'talkSeconds'>;
type Cost = Pick<ExpectedFigures, 'cost' | 'currency' | 'costReason'>;

/**
 * By the operator's prices, country by country. Calls are priced as the first ones of the month,
 * which is the dearest they can be.
 */
function costOf({ prices, plan, preview, now }: Expecting, rates: Rates): Cost {
  const unknown = (costReason: string): Cost => {
    return { cost: null, currency: prices?.currency ?? null, costReason };
  };
  if (prices === null) return unknown('no_price_table');
  const amounts: string[] = [];
  for (const [code, { reachable, askable }] of Object.entries(preview.countries)) {
    const country = code === '' ? null : code;
    if (askable > 0) {
      const { category } = plan.template;
      const sent = estimateMessages(prices, { country, at: now, category, count: askable });
      if (sent.amount === null) return unknown(sent.reason ?? 'unknown');
      amounts.push(sent.amount);
    }
    const calls = expectedCalls({ reachable, askable }, rates.grantRate);
    const { value: share } = rates.answerRate;
    const { value: seconds } = rates.talkSeconds;
    if (calls === 0) continue;
    if (calls === null || share === null || seconds === null) return unknown('too_few_cases');
    const each = pulsesOf(seconds);
    const pulses = Math.round(calls * share * each);
    // Its own length alone reaches into a tier, not that of all calls together.
    const minutesBefore = (each - pulses) / PULSES_PER_MINUTE;
    const called = estimateCost(prices, { country, at: now, pulses, minutesBefore });
    if (called.amount === null) return unknown(called.reason ?? 'unknown');
    amounts.push(called.amount);
  }
  return { cost: sumOfAmounts(amounts), currency: prices.currency, costReason: null };
}
