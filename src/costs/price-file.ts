import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { errorText, Failure } from '../platform/failure.ts';
import { priceTableSchema, tableProblem, type PriceTable } from './price-table.ts';

/**
 * Reads the operator's price table once, at the start. One that cannot be used ends the start: a
 * business that relies on its figures must not find out from an estimate that there are none.
 */
export function readPriceFile(path: string | undefined): PriceTable | null {
  if (path === undefined) return null;
  const parsed = priceTableSchema.safeParse(readJson(path));
  if (!parsed.success) throw unusable(path, z.prettifyError(parsed.error));
  const problem = tableProblem(parsed.data);
  if (problem !== null) throw unusable(path, problem);
  return parsed.data;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw unusable(path, errorText(cause), cause);
  }
}

function unusable(path: string, why: string, cause?: unknown): Failure {
  return new Failure({
    code: 'price_table_unusable',
    message: `The price table ${path} cannot be used: ${why}`,
    fix: 'Correct the file as docs/reference/prices.md says, or unset ASKFIRST_PRICE_FILE.',
    verdict: 'terminal',
    side: 'client',
    ...(cause === undefined ? {} : { cause }),
  });
}
