import { isoTime } from '../platform/clock.ts';
import { rateOn, type PriceTable } from './price-table.ts';

/**
 * What a call or a request would cost by the operator's price table. Meta bills answered calls in
 * pulses of 6 seconds, rounded up, by the country of the customer's number and the minutes of the
 * month (pricing page). Where a price is not known there is no amount, and the reason stands there.
 */
export const COST_REASONS = {
  no_price_table: 'The operator has given no price table (ASKFIRST_PRICE_FILE).',
  country_unknown: 'The country of the customer is not known.',
  no_price_for_country: 'The price table has no price for this country.',
  no_price_on_that_day: 'The price table has no price that holds on that day.',
} as const;
export type CostReason = keyof typeof COST_REASONS;

export type CostEstimate = {
  /** A decimal text in `currency`; null where no price is known. */
  amount: string | null;
  currency: string | null;
  /** The price of a minute, or of a message. */
  unitPrice: string | null;
  /** The first day of the price that was taken. */
  priceFrom: string | null;
  /** Why there is no amount. */
  reason: CostReason | null;
};

export type CallToPrice = {
  /** ISO 3166-1 alpha-2 of the customer's number. */
  country: string | null;
  /** When it is, or was, answered; ms. */
  at: number;
  /** Of 6 seconds; none for a call that nobody answered. */
  pulses: number;
  /** Minutes of this country in this month before it; 0, the dearest, where nobody knows. */
  minutesBefore?: number;
};

export const PULSE_SECONDS = 6;
const PULSES_PER_MINUTE = 60 / PULSE_SECONDS;
/** Amounts are counted in billionths: eight decimals of a price, and a tenth for the pulse. */
const SCALE = 9;

export function pulsesOf(seconds: number): number {
  return Math.ceil(Math.max(0, seconds) / PULSE_SECONDS);
}

export function estimateCost(table: PriceTable | null, call: CallToPrice): CostEstimate {
  const { country, at, pulses, minutesBefore = 0 } = call;
  const rate = rateFor(table?.calls, country, at);
  if (typeof rate === 'string') return unpriced(rate, table);
  // A call that crosses into a tier takes the lower rate for its whole length (Meta's pricing).
  const reached = minutesBefore + pulses / PULSES_PER_MINUTE;
  const tier = rate.tiers.findLast(({ fromMinutes }) => fromMinutes < reached) ?? rate.tiers[0];
  const unitPrice = tier?.perMinute ?? '0';
  const amount = (billionths(unitPrice) * BigInt(pulses)) / BigInt(PULSES_PER_MINUTE);
  return priced(amount, unitPrice, rate.from, table);
}

/** What requests, which are template messages, would cost. */
export function estimateMessages(
  table: PriceTable | null,
  wish: {
    country: string | null;
    at: number;
    category: 'UTILITY' | 'MARKETING';
    count: number;
  },
): CostEstimate {
  const { country, at, category, count } = wish;
  const rates = table?.messages.filter((rate) => rate.category === category);
  const rate = rateFor(rates, country, at);
  if (typeof rate === 'string') return unpriced(rate, table);
  const { perMessage } = rate;
  return priced(billionths(perMessage) * BigInt(count), perMessage, rate.from, table);
}

/** Adds decimal amounts without losing a digit. */
export function sumOfAmounts(amounts: readonly string[]): string {
  return decimal(amounts.reduce((sum, amount) => sum + billionths(amount), 0n));
}

function rateFor<R extends { countries: string[]; from: string; until: string | null }>(
  rates: readonly R[] | undefined,
  country: string | null,
  at: number,
): R | CostReason {
  if (rates === undefined) return 'no_price_table';
  if (country === null) return 'country_unknown';
  const rate = rateOn(rates, country, isoTime(at).slice(0, 10));
  if (rate === 'unlisted') return 'no_price_for_country';
  return rate === 'not_on_that_day' ? 'no_price_on_that_day' : rate;
}

function priced(
  amount: bigint,
  unitPrice: string,
  priceFrom: string,
  table: PriceTable | null,
): CostEstimate {
  const currency = table?.currency ?? null;
  return { amount: decimal(amount), currency, unitPrice, priceFrom, reason: null };
}

function unpriced(reason: CostReason, table: PriceTable | null): CostEstimate {
  const currency = table?.currency ?? null;
  return { amount: null, currency, unitPrice: null, priceFrom: null, reason };
}

function billionths(text: string): bigint {
  const [whole = '0', part = ''] = text.split('.');
  return BigInt(whole + part.padEnd(SCALE, '0').slice(0, SCALE));
}

function decimal(value: bigint): string {
  const digits = value.toString().padStart(SCALE + 1, '0');
  const part = digits.slice(-SCALE).replace(/0+$/, '');
  return part === '' ? digits.slice(0, -SCALE) : `${digits.slice(0, -SCALE)}.${part}`;
}
