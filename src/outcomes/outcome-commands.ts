import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { CallId } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import type { AgentOutcome, OutcomeList } from './outcome.ts';
import { outcomeRows, outcomesOfCalls } from './outcome-store.ts';

export type OutcomeWish = {
  callId: CallId;
  outcome: string | null;
  note: string | null;
  /** The version that the writer has seen; null where they do not care. */
  seen: number | null;
  actor: string;
};

/**
 * Writes down what came of a call. The same words again change nothing. Who has seen an older
 * version is told so, and overwrites nobody's words unseen.
 */
export async function setOutcome(
  unit: ContactUnit,
  codes: OutcomeList,
  wish: OutcomeWish,
): Promise<AgentOutcome | Refused> {
  const { contact, now, tx } = unit;
  const { callId, outcome, note, seen, actor } = wish;
  const [before = null] = await outcomesOfCalls(tx, [callId]);
  if (before !== null && before.outcome === outcome && before.note === note) return before;
  if (outcome !== null && !codes.some(({ code }) => code === outcome)) return unknown(codes);
  if (seen !== null && seen !== (before?.version ?? 0)) return changed(before);
  const { id: contactId, accountId } = contact;
  const version = (before?.version ?? 0) + 1;
  const row = { callId, accountId, contactId, version, outcome, note, actor, setAt: now };
  unit.save(outcomeRows, callId, row);
  const data = { callId, version, outcome };
  const told = { ...data, note };
  unit.record({
    type: 'CallOutcomeSet',
    actor,
    at: now,
    data,
    personal: note === null ? undefined : { note },
    announce: { type: 'outcome.set', callId, sequence: 0, data: told },
  });
  return row;
}

function unknown(codes: OutcomeList): Refused {
  return {
    refused: {
      code: 'outcome_unknown',
      message: 'The account has no outcome with this code.',
      fix: `Use one of ${codes.map(({ code }) => code).join(', ')}, or change the list.`,
    },
  };
}

function changed(before: AgentOutcome | null): Refused {
  return {
    refused: {
      code: 'outcome_changed',
      message: 'Somebody has written another outcome since you read it.',
      fix: 'Read it again, and send what shall stand with its version.',
      evidence: { version: before?.version ?? 0 },
    },
  };
}
