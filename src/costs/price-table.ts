import * as z from 'zod';

/**
 * What calls and messages cost, by the operator's own file: Meta's prices differ by country, month
 * and volume, and change with notice. None are built in. Amounts are decimal texts, never floats.
 */
const countries = z
  .array(z.string().regex(/^([A-Z]{2}|\*)$/, 'is a country code such as DE, or * for all others'))
  .min(1)
  .max(300);
const day = z.iso.date().describe('The day in UTC on which it begins or ends.');
/** Eight decimals hold a tenth of the smallest price that Meta has ever listed, and far more. */
const amount = z.string().regex(/^\d{1,6}(\.\d{1,8})?$/, 'is an amount such as 0.0095');

const callRate = z.strictObject({
  countries,
  from: day,
  until: day.nullable().default(null).describe('The first day on which it holds no more.'),
  tiers: z
    .array(
      z.strictObject({
        fromMinutes: z.int().min(0).describe('Minutes of the month after which it holds.'),
        perMinute: amount,
      }),
    )
    .min(1)
    .max(20),
});
const messageRate = z.strictObject({
  countries,
  category: z.enum(['UTILITY', 'MARKETING']),
  from: day,
  until: day.nullable().default(null),
  perMessage: amount,
});

export const priceTableSchema = z.strictObject({
  format: z.literal('askfirst-prices-1'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'is a currency code such as USD'),
  source: z.string().min(1).max(300).describe('Where the figures come from, and of which day.'),
  calls: z.array(callRate).max(2_000).default([]),
  messages: z.array(messageRate).max(2_000).default([]),
});
export type PriceTable = z.infer<typeof priceTableSchema>;
type Rate = { countries: string[]; from: string; until: string | null };

/** What is wrong with a table beyond its shape, as a sentence; null when nothing is. */
export function tableProblem({ calls, messages }: PriceTable): string | null {
  for (const { tiers } of calls) {
    const starts = tiers.map(({ fromMinutes }) => fromMinutes);
    const rises = starts.every((start, index) => index === 0 || start > (starts[index - 1] ?? 0));
    if (starts[0] !== 0 || !rises) return 'Tiers begin at 0 minutes and rise.';
  }
  const twice =
    overlapping(calls) ??
    overlapping(messages.filter(({ category }) => category === 'UTILITY')) ??
    overlapping(messages.filter(({ category }) => category === 'MARKETING'));
  return twice === null ? null : `Two prices hold for ${twice} on one day.`;
}

/** A country for which two rates hold on the same day, or null. */
function overlapping(rates: readonly Rate[]): string | null {
  const byCountry = new Map<string, Rate[]>();
  for (const rate of rates) {
    if (rate.until !== null && rate.until <= rate.from) return `${rate.countries[0]} (until)`;
    for (const country of rate.countries) {
      byCountry.set(country, [...(byCountry.get(country) ?? []), rate]);
    }
  }
  for (const [country, own] of byCountry) {
    const sorted = own.toSorted((a, b) => (a.from < b.from ? -1 : 1));
    const clash = sorted.some((rate, index) => {
      const following = sorted[index + 1];
      return following !== undefined && (rate.until === null || rate.until > following.from);
    });
    if (clash) return country;
  }
  return null;
}

/** The rate that holds for a country on a day; `unlisted` where the country has none at all. */
export function rateOn<R extends Rate>(
  rates: readonly R[],
  country: string,
  day: string,
): R | 'unlisted' | 'not_on_that_day' {
  const own = rates.filter((rate) => rate.countries.includes(country));
  const listed = own.length > 0 ? own : rates.filter((rate) => rate.countries.includes('*'));
  if (listed.length === 0) return 'unlisted';
  const holds = listed.find(
    (rate) => rate.from <= day && (rate.until === null || day < rate.until),
  );
  return holds ?? 'not_on_that_day';
}
