import { applyCallEvents } from '../calls/call-events.ts';
import { hangUp } from '../calls/call-rules.ts';
import { unfinishedCalls } from '../calls/call-store.ts';
import { clearOptOutPending, markOptOutPending } from '../contacts/pending-opt-out-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { LineId } from '../platform/ids.ts';
import { optOut, sayTo } from './opt-out-commands.ts';
import type { OptOutBand } from './opt-out.ts';

/** What is asked after a message that most likely means stop; the answers it names are read. */
export const OPT_OUT_QUESTION =
  'Shall we stop calling you? Reply STOP to stop for good, or YES CALL to keep calls.';

/** Who says nothing for so long is taken at their first word. */
export const OPT_OUT_ANSWER_MS = 72 * 60 * 60 * 1000;

export type SaidAboutCalls = OptOutBand | 'keep' | null;
type Said = { lineId: LineId; at: number };
type OptOutPorts = Parameters<typeof optOut>[1];

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
  if (optedOutAt !== null) return;
  const isAnswer = optOutPending !== null;
  // Asked whether they meant it, people who say it again have answered.
  if (band === 'exact' || (band === 'likely' && isAnswer)) {
    await optOut(unit, ports, { ...said, way: 'message' });
  } else if (band === 'likely') {
    await blockAndAsk(unit, said);
  } else if (band === 'keep' && isAnswer) {
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
  for (const call of await unfinishedCalls(tx, [contact.id])) {
    await applyCallEvents(unit, call, hangUp(call, 'platform', 'opt_out_pending', now), 'platform');
  }
  sayTo(unit, said.lineId, OPT_OUT_QUESTION);
}

async function liftBlock(unit: ContactUnit, said: Said): Promise<void> {
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
