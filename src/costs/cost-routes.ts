import { z } from 'zod';
import { type ApiContext, refusedInput } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import { parseNumber } from '../contacts/phone-number.ts';
import { isRefused } from '../platform/refusal.ts';
import {
  COST_REASONS,
  estimateCost,
  estimateMessages,
  pulsesOf,
  sumOfAmounts,
  type CostEstimate,
  type CostReason,
} from './cost-estimate.ts';
import { priceTableSchema } from './price-table.ts';
import type { PriceTable } from './price-table.ts';

const reasons = Object.keys(COST_REASONS) as [CostReason, ...CostReason[]];
const tags = ['costs'];

const estimateSchema = z.object({
  amount: z.string().nullable().describe('A decimal text; null where no price is known.'),
  currency: z.string().nullable(),
  unitPrice: z.string().nullable().describe('Of a minute, or of a message.'),
  priceFrom: z.string().nullable().describe('The first day of the price that was taken.'),
  reason: z.enum(reasons).nullable().describe('Why there is no amount.'),
});

const query = z.object({
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'is a country code such as DE')
    .optional(),
  to: z.string().max(100).optional().describe('A number instead: its country counts.'),
  at: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
  seconds: z.coerce.number().int().min(0).max(86_400).default(60).describe('Of one talk.'),
  calls: z.coerce.number().int().min(0).max(10_000_000).default(1).describe('That are answered.'),
  requests: z.coerce.number().int().min(0).max(10_000_000).default(0),
  category: z.enum(['UTILITY', 'MARKETING']).default('UTILITY').describe('Of the requests.'),
  minutesBefore: z.coerce
    .number()
    .min(0)
    .max(1_000_000_000)
    .default(0)
    .describe('Minutes of this country in this month so far, for the volume tier.'),
});

const answerSchema = z.object({
  country: z.string().nullable(),
  pulsesPerCall: z.number().describe('Of 6 seconds, rounded up.'),
  perCall: estimateSchema,
  calls: estimateSchema.describe('All calls together.'),
  requests: estimateSchema.describe('The messages that ask, together.'),
  total: z.string().nullable().describe('Null as long as one of the prices is not known.'),
  currency: z.string().nullable(),
});

/** What calls and requests would cost, and the table that says so. An estimate: Meta bills. */
export function registerCostRoutes(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;
  const { prices, clock } = context;

  app.get(
    '/v1/costs/estimate',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What calls would cost, in pulses of 6 seconds',
        querystring: query,
        response: { 200: answerSchema },
      },
    },
    async (request) => {
      accountOf(request);
      const { at, ...wish } = request.query;
      const country = wish.country ?? countryOf(wish.to);
      return estimated(prices, { ...wish, country, at: at ? Date.parse(at) : clock.now() });
    },
  );

  app.get(
    '/v1/costs/prices',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The price table of the operator, as it is used',
        response: { 200: z.object({ prices: priceTableSchema.nullable() }) },
      },
    },
    async (request) => {
      accountOf(request);
      return { prices };
    },
  );
}

type Wish = Omit<z.infer<typeof query>, 'at' | 'country' | 'to'> & {
  country: string | null;
  at: number;
};

function estimated(prices: PriceTable | null, wish: Wish): z.infer<typeof answerSchema> {
  const { country, at, seconds, calls: count, minutesBefore, requests: asked, category } = wish;
  const pulses = pulsesOf(seconds);
  const perCall = estimateCost(prices, { country, at, pulses, minutesBefore });
  // Together, so that the tier which the last of them reaches is taken for all (Meta's pricing).
  const calls = estimateCost(prices, { country, at, pulses: pulses * count, minutesBefore });
  const requests = estimateMessages(prices, { country, at, category, count: asked });
  const total = totalOf(count > 0 ? calls : null, asked > 0 ? requests : null);
  const currency = prices?.currency ?? null;
  return { country, pulsesPerCall: pulses, perCall, calls, requests, total, currency };
}

/** A part that is not asked about need not have a price. */
function totalOf(...parts: Array<CostEstimate | null>): string | null {
  const amounts = parts.flatMap((part) => (part === null ? [] : [part.amount]));
  return amounts.every((amount) => amount !== null) ? sumOfAmounts(amounts) : null;
}

function countryOf(to: string | undefined): string | null {
  if (to === undefined) return null;
  const number = parseNumber(to);
  if (isRefused(number)) throw refusedInput(number, 'to');
  return number.country;
}
