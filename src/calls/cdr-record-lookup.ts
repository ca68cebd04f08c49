import { z } from 'zod';
import { originsOf, type PermissionOrigin } from '../consent/consent-origin-store.ts';
import { COST_REASONS, estimateCost, type CostReason } from '../costs/cost-estimate.ts';
import type { PriceTable } from '../costs/price-table.ts';
import type { Queryable } from '../database/database.ts';
import { cdrSchema } from '../http/api-schemas.ts';
import { csvLine } from '../http/csv-text.ts';
import { outcomesOfCalls } from '../outcomes/outcome-store.ts';
import type { CallId, PermissionId } from '../platform/ids.ts';
import { surveysOfCalls } from '../surveys/survey-store.ts';
import type { Cdr } from './cdr.ts';

/**
 * The record of a call with where its permission came from, and what came after it. The record
 * itself is written with the end and never changed; how satisfied the customer was, what the
 * agent says came of it, and what it may have cost by today's price file are looked up whenever
 * it is read.
 */
export type CdrRecord = Cdr & {
  permissionType: 'temporary' | 'permanent' | null;
  templateName: string | null;
  templateVersion: number | null;
  templateLanguage: string | null;
  agentOutcome: string | null;
  surveyScore: number | null;
  costAmount: string | null;
  costCurrency: string | null;
  costUnitPrice: string | null;
  costReason: CostReason | null;
};

const reasons = Object.keys(COST_REASONS) as [CostReason, ...CostReason[]];
const textOrNull = z.string().nullable();

export const recordSchema = cdrSchema.extend({
  permissionType: z.enum(['temporary', 'permanent']).nullable(),
  templateName: textOrNull.describe('Of the request that was answered; null where none was.'),
  templateVersion: z.number().nullable(),
  templateLanguage: textOrNull,
  agentOutcome: textOrNull.describe('The code that was written after it, of /v1/call-outcomes.'),
  surveyScore: z.number().nullable().describe('1, very bad, to 5; null without an answer.'),
  costAmount: textOrNull.describe('Estimated, as a decimal text; null where no price is known.'),
  costCurrency: textOrNull,
  costUnitPrice: textOrNull.describe('Of a minute, in the first tier of the price file.'),
  costReason: z.enum(reasons).nullable().describe('Why there is no amount.'),
}) satisfies z.ZodType<CdrRecord>;

/** Adds to each record what was not written with it. Three statements, however many records. */
export async function withAftermath(
  db: Queryable,
  prices: PriceTable | null,
  cdrs: readonly Cdr[],
): Promise<CdrRecord[]> {
  const ids = cdrs.map(({ callId }) => callId as CallId);
  const surveys = new Map((await surveysOfCalls(db, ids)).map((each) => [each.callId, each]));
  const outcomes = new Map((await outcomesOfCalls(db, ids)).map((each) => [each.callId, each]));
  const used = cdrs.flatMap(({ permissionId }) => permissionId ?? []);
  const origins = await originsOf(db, used as PermissionId[]);
  return cdrs.map((cdr) => {
    const origin = origins.get(cdr.permissionId ?? '');
    const callId = cdr.callId as CallId;
    const agentOutcome = outcomes.get(callId)?.outcome ?? null;
    const surveyScore = surveys.get(callId)?.score ?? null;
    return { ...cdr, ...originView(origin), agentOutcome, surveyScore, ...costOf(prices, cdr) };
  });
}

function originView(origin: PermissionOrigin | undefined) {
  return {
    permissionType: origin?.kind ?? null,
    templateName: origin?.template ?? null,
    templateVersion: origin?.template_version ?? null,
    templateLanguage: origin?.language ?? null,
  };
}

function costOf(prices: PriceTable | null, cdr: Cdr) {
  const { customerCountry: country, answeredAt, requestedAt, billablePulses: pulses } = cdr;
  const at = Date.parse(answeredAt ?? requestedAt);
  const { amount, currency, unitPrice, reason } = estimateCost(prices, { country, at, pulses });
  return {
    costAmount: amount,
    costCurrency: currency,
    costUnitPrice: unitPrice,
    costReason: reason,
  };
}

export const EXPORT_FORMATS = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/jsonl; charset=utf-8',
};

/** Each field of the record is a column, so a new field is a new column at its place. */
const COLUMNS = Object.keys(recordSchema.shape) as ReadonlyArray<keyof CdrRecord>;

/** What a file begins with. */
export function headerOf(format: ExportFormat): string {
  return format === 'csv' ? csvLine(COLUMNS) : '';
}

export function linesOf(format: ExportFormat, records: readonly CdrRecord[]): string {
  const line = format === 'csv' ? csvOf : (one: CdrRecord) => `${JSON.stringify(one)}\n`;
  return records.map(line).join('');
}

/** What is no plain value stands as JSON in its field; what there is none of, is empty. */
function csvOf(record: CdrRecord): string {
  return csvLine(COLUMNS.map((column) => cell(record[column])));
}

function cell(value: CdrRecord[keyof CdrRecord]): string | number {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : value;
}
