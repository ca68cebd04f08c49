import type { CallState } from '../calls/call.ts';
import type { CallFact } from '../calls/call-rules.ts';
import { readCall } from '../calls/call-store.ts';
import { findLine, openLine } from '../lines/line-store.ts';
import { nameExternalId, resolveExternalId } from '../messages/message-store.ts';
import { errorText } from '../platform/failure.ts';
import { isId, type CallId } from '../platform/ids.ts';
import type { WhatsAppFact } from '../whatsapp/whatsapp.ts';
import type { ReceptionPorts } from './reception.ts';

type MetaCallFact = Extract<WhatsAppFact, { kind: 'callConnect' | 'callStatus' | 'callTerminate' }>;

/**
 * Folds a fact about a call. Meta returns our call id as callback data, so a call is found even
 * where our own POST has not returned yet, or never will; the wacid in the same fact then tells
 * us what our POST would have.
 */
export async function foldCallFact(
  ports: ReceptionPorts,
  fact: MetaCallFact,
): Promise<'done' | 'later'> {
  const call = await findCall(ports, fact);
  if (call === null) {
    const isOurs = !('direction' in fact) || fact.direction === 'business';
    return isOurs ? 'later' : 'done';
  }
  const { id } = call.plan;
  if (call.facts.wacid !== null && call.facts.wacid !== fact.wacid) {
    // Never dialled twice by us; should Meta make two calls of one dial, the second one ends.
    ports.log.error({ callId: id, anomaly: 'second_ring' }, 'Meta tells of a second call');
    void endStrayRing(ports, fact);
    return 'done';
  }
  if (call.facts.wacid === null && call.status !== 'ended') {
    await ports.database.transaction((tx) => nameExternalId(tx, fact.wacid, id));
    await ports.desk.observe(id, { type: 'CallInitiated', at: fact.at, wacid: fact.wacid }, 'meta');
  }
  const folded = await ports.desk.observe(id, toCallFact(fact, ports.clock.now()), 'meta');
  // Not awaited: a slow Meta must not hold up what else this person says, a stop above all.
  if (folded.status === 'ended' && folded.facts.terminated === null) void endStrayRing(ports, fact);
  return 'done';
}

async function findCall(ports: ReceptionPorts, fact: MetaCallFact): Promise<CallState | null> {
  const { opaque, wacid } = fact;
  const named = opaque !== undefined && isId('call', opaque) ? opaque : null;
  const id = named ?? (await resolveExternalId(ports.database, wacid));
  return id === null ? null : readCall(ports.database, id as CallId);
}

function toCallFact(fact: MetaCallFact, learnedAt: number): CallFact {
  const { at } = fact;
  switch (fact.kind) {
    case 'callConnect':
      return { type: 'CallMediaAnswered', at, sdp: fact.sdp };
    case 'callStatus':
      if (fact.status === 'ringing') return { type: 'CallRinging', at };
      return { type: fact.status === 'accepted' ? 'CallAnswered' : 'CallRejected', at };
    case 'callTerminate': {
      const { completed, startedAt, endedAt, durationSeconds, errors } = fact;
      const times = { startedAt, endedAt, durationSeconds };
      return { type: 'CallTerminated', learnedAt, at, completed, ...times, errors };
    }
  }
}

/** A phone that still rings for a call we have closed is told to stop; it must not stay up. */
async function endStrayRing(ports: ReceptionPorts, fact: MetaCallFact): Promise<void> {
  if (fact.kind === 'callTerminate' || isRejection(fact)) return;
  try {
    const line = await findLine(ports.database, fact.phoneNumberId);
    if (line === null) return;
    await ports.whatsapp.terminateCall(openLine(line, ports.sealer).access, fact.wacid);
  } catch (error) {
    ports.log.warn({ error: errorText(error) }, 'a stray ring could not be ended');
  }
}

function isRejection(fact: MetaCallFact): boolean {
  return fact.kind === 'callStatus' && fact.status === 'rejected';
}
