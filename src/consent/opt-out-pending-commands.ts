import { clearOptOutPending, markOptOutPending } from '../contacts/pending-opt-out-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { lastEntryAt } from '../ledger/ledger-store.ts';
import type { LineId } from '../platform/ids.ts';
import { optIn } from './opt-in-commands.ts';
import { endCalls, optOut, sayTo, wordsFor, type OptOutPorts } from './opt-out-commands.ts';
import type { OptOutBand } from './opt-out.ts';

/** Who says nothing for so long is taken at their first word. */
export const OPT_OUT_ANSWER_MS = 72 * 60 * 60 * 1000;

/** `again` takes an earlier stop back; `keep` answers the question after a likely one. */
export type SaidAboutCalls = OptOutBand | 'keep' | 'again' | null;
export type Said = {
  lineId: LineId;
  at: number;
  way: 'message' | 'quick_reply';
  /** How long the webhook had waited for us, in ms. */
  waitedMs: number;
};

/**
 * Acts on what a person wrote about being called. A permission is not revoked by a likely stop,
 * for that cannot be taken back; the block alone keeps every call and request away.
 */
export async function hearAboutCalls(
  unit: ContactUnit,
  ports: OptOutPorts,
  band: SaidAboutCalls,
  said: Said,
): Promise<void> {
  const { optedOutAt, optOutPending } = unit.contact;
  if (optedOutAt !== null) {
    if (band === 'again') await optIn(unit, ports, { ...said, way: 'message' });
    else if (band === 'exact' || band === 'likely') await optOut(unit, ports, said);
    return;
  }
  const isAnswer = optOutPending !== null;
  // Asked whether they meant it, people who say it again have answered.
  if (band === 'exact' || (band === 'likely' && isAnswer)) {
    await optOut(unit, ports, said);
  } else if (band === 'likely') {
    await blockAndAsk(unit, said);
  } else if ((band === 'keep' || band === 'again') && isAnswer) {
    await liftBlock(unit, said);
  } else if (band === 'unclear') {
    note(unit, 'OptOutUnclear', 'optout.flagged', said);
  }
}

/**
 * The silence after the question becomes an opt-out. Does nothing when the person has answered
 * meanwhile, or was asked again later.
 */
export async function endUnanswered(unit: ContactUnit, ports: OptOutPorts): Promise<void> {
  const { optOutPending: pending } = unit.contact;
  if (pending === null || unit.now < pending.at + OPT_OUT_ANSWER_MS) return;
  const { lineId } = pending;
  await optOut(unit, ports, { lineId, way: 'no_answer', at: unit.now, actor: 'platform' });
}

async function blockAndAsk(unit: ContactUnit, said: Said): Promise<void> {
  const { tx, contact, now } = unit;
  await markOptOutPending(tx, contact, { at: now, lineId: said.lineId });
  note(unit, 'OptOutPending', 'optout.pending', said);
  await endCalls(unit, 'opt_out_pending');
  sayTo(unit, said.lineId, (await wordsFor(unit, said.lineId)).question);
}

async function liftBlock(unit: ContactUnit, said: Said): Promise<void> {
  // Said before the stop and come after it, it answers nothing.
  const stoppedAt = await lastEntryAt(unit.tx, unit.contact.id, 'OptOutPending');
  if (stoppedAt !== null && said.at < stoppedAt) return;
  await clearOptOutPending(unit.tx, unit.contact);
  note(unit, 'OptOutPendingCleared', 'optout.cleared', said);
}

/** The words themselves stay out of ledger and events: they may be about anything. */
function note(
  unit: ContactUnit,
  type: string,
  event: 'optout.pending' | 'optout.cleared' | 'optout.flagged',
  { lineId, at }: Said,
): void {
  const announce = { type: event, callId: null, sequence: 0, data: { lineId } };
  unit.record({ type, actor: 'customer', at, data: { lineId }, announce });
}
