/** How the figures of a record that come after a call are said. */

const WHY_NO_COST: Partial<Record<string, string>> = {
  no_price_table: 'not known: the operator has given no price file',
  country_unknown: 'not known: neither is the country of the customer',
  no_price_for_country: 'not known: the price file has no price for this country',
  no_price_on_that_day: 'not known: the price file has no price for that day',
};

export function scoreWords(score: unknown): string {
  return typeof score === 'number' ? `${score} of 5 ${'★'.repeat(score)}` : 'no answer to a survey';
}

/** Says that it is an estimate by the operator's own file, or why there is none. */
export function costWords(cdr: Record<string, unknown>): string {
  const { costAmount, costCurrency, costReason, billablePulses } = cdr;
  if (typeof costAmount !== 'string' || typeof costCurrency !== 'string') {
    return WHY_NO_COST[String(costReason)] ?? 'not known';
  }
  const pulses = typeof billablePulses === 'number' ? billablePulses : 0;
  return `${costAmount} ${costCurrency} (${pulses} pulses of 6 s, by your own price file)`;
}
