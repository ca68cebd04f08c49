/**
 * What a question or a call belongs to: the campaign, journey and experiment that led to it. Ids
 * and the name of an arm only. It stands in the open in rows, ledger, events and records, and it
 * stays after a person was erased, so nothing that could name a person may ever be put here.
 */
export type Attribution = {
  campaignId?: string;
  journeyId?: string;
  journeyVersion?: number;
  /** One run of the journey, for one contact. */
  runId?: string;
  experimentId?: string;
  arm?: string;
};

/** For rows and plans: the field is there only where there is something in it. */
export function attributed(wish: Attribution | null | undefined): { attribution?: Attribution } {
  if (wish === null || wish === undefined) return {};
  return Object.keys(wish).length === 0 ? {} : { attribution: wish };
}
