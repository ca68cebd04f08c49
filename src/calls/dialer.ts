import { stopsAmong } from '../accounts/account-store.ts';
import { pausesAmong } from '../brakes/brake-store.ts';
import { campaignsAmong } from '../campaigns/campaign-hold.ts';
import { heldCampaigns } from '../campaigns/hold-store.ts';
import type { AgentDesk } from '../agents/agent-desk.ts';
import { applyConsent } from '../consent/consent-commands.ts';
import { lockFreeContacts } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import type { Tx } from '../database/database.ts';
import { passesSoon } from '../endpoints/caps.ts';
import type { EndpointDesk } from '../endpoints/endpoint-desk.ts';
import type { StoredEndpoint } from '../endpoints/endpoint-store.ts';
import {
  PendingUnit,
  commitUnits,
  type LedgerPorts,
  type RowStore,
} from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { MetaAnswerDesk } from '../meta-answers/meta-answer-desk.ts';
import { Bug, invariant } from '../platform/invariant.ts';
import type { CallId, LineId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { holdsStill } from '../schedule/pacing-hold-store.ts';
import type { RefusalCode } from '../policy/refusal-codes.ts';
import { lateReason, readyAt, waitEvents } from './agent-wait.ts';
import { makeAgentWaiters, waitsForAgent } from './agent-wait-hands.ts';
import type { CallState } from './call.ts';
import { applyCallEvents } from './call-events.ts';
import {
  consentIn,
  decideCall,
  gatherContactFacts,
  metaAnswerIn,
  waitsForLine,
  waitsForMeta,
  type GateFacts,
  type GatePorts,
  type GateQuestion,
} from './call-gate.ts';
import { CALL_LIMITS, abandon, dial, latestDialOf } from './call-rules.ts';
import { freeSince, isStopped, restsWithCampaign, type Standings } from './held-hands.ts';
import { leasedCallRows, putOffRows } from './call-store.ts';
import { placesOf, type Places } from './dial-lookup.ts';
import { openDueDesk, type DuePick } from './due-desk.ts';
import { dueCallOf, lapseLaterRows, type DueCall } from './due-store.ts';

/**
 * The dial transaction, and the only place where a permission is consumed. For each due call it
 * holds the contact's lock, asks the gate once more, and either consumes the permission and takes
 * the lease, or ends the call as blocked. Many calls share one transaction: its dozen statements
 * and its wait for the disk cost the same for one call as for a hundred.
 */
export type DialedCall = {
  state: CallState;
  contact: Contact;
  line: StoredLine;
  endpoint: StoredEndpoint;
};

export type Claim = {
  dialed: DialedCall[];
  /** When to claim again, in ms since 1970; null when no call waits at all. */
  lookAgainAt: number | null;
  /** Why some due calls could not even be judged; what the others became stands all the same. */
  errors: unknown[];
};

export type Dialer = {
  /** Claims up to `room` due calls; each is claimed by one gateway only, once. */
  claim(room: number): Promise<Claim>;
  /** Told when a call that waits for somebody may go on. */
  onReady?(wake: () => void): void;
};

export type DialerPorts = LedgerPorts &
  GatePorts & {
    owner: string;
    leaseSeconds: number;
    /** Asks Meta where a pack wants it; without it such a pack lets no call pass. */
    metaAnswers?: Pick<MetaAnswerDesk, 'want' | 'waitMs'>;
    /** Guard and caps of endpoints; without it none are set. */
    endpointDesk?: Pick<EndpointDesk, 'loadOf' | 'refusalFor'>;
    /** Keeps people in their browsers for calls; without it nobody is looked for. */
    agentDesk?: AgentDesk;
  };

/** Calls of one claim, and how they are shared out among transactions that run side by side. */
const CLAIM_MAX = 256;
const BATCHES = 4;
const BATCH_MIN = 16;
/** When somebody else holds the lock of every due contact; they hold it for milliseconds. */
const BUSY_MS = 20;
/** How soon a call looks again whose line has no room for it. */
const LINE_BUSY_MS = 500;
/** A call whose permission Meta is asked about looks again this often at least. */
const PUT_OFF_MAX_MS = 5_000;
/** The gate's own code for it; here for a call whose pack takes an older answer, and has one. */
const NOT_CONFIRMED: RefusalCode = 'meta_answer_unknown';
const LINE_BUSY: RefusalCode = 'line_busy';

/** So often a call is looked at that has more time than its plan says. */
const LAPSE_AGAIN_MS = 60_000;

class HoldLost extends Error {}

type Ports = DialerPorts & { rows: RowStore<CallState> };

export function openDialer(dialerPorts: DialerPorts): Dialer {
  const { owner, leaseSeconds, clock } = dialerPorts;
  const ports = { ...dialerPorts, rows: leasedCallRows(owner, leaseSeconds) };
  // Put-off calls whose answer has come: only a hint, for they fall due again by themselves.
  const answered = new Map<CallId, DueCall>();
  let wake = (): void => {};
  const dueDesk = openDueDesk(ports);
  const waiters = makeAgentWaiters(ports.agentDesk, () => wake());
  const askMeta = (questions: readonly Question[]): void => {
    for (const { call, contact, line } of questions) {
      ports.metaAnswers?.want(contact, line, () => answered.set(call.id, call));
    }
  };
  return {
    onReady: (listener) => void (wake = listener),
    async claim(room) {
      for (const call of waiters.take()) answered.set(call.id, call);
      const pick = await dueDesk.pick(Math.min(room, CLAIM_MAX), answered.values());
      const { due } = pick;
      for (const { id } of due) answered.delete(id);
      if (due.length === 0) return { dialed: [], lookAgainAt: pick.lookAgainAt, errors: [] };
      const now = clock.now();
      // Read beside the first statements of the transactions, which need it only to judge.
      const places = placesOf(ports, due);
      places.catch(() => undefined);
      const outcomes = await Promise.all(
        batchesOf(due).map((batch) => claimBatch(ports, batch, { pick, places })),
      );
      askMeta(outcomes.flatMap(({ questions }) => questions));
      for (const call of outcomes.flatMap(({ agentless }) => agentless)) waiters.add(call);
      const dialed = outcomes.flatMap((outcome) => outcome.dialed);
      await pick.release(dialed.map(({ state }) => dueCallOf(state)));
      const isStuck = outcomes.every(({ settled }) => settled === 0);
      return {
        dialed,
        lookAgainAt: isStuck ? now + BUSY_MS : now,
        errors: outcomes.flatMap(({ errors }) => errors),
      };
    },
  };
}

/** Calls of one contact stay together, because one transaction must see them all. */
function batchesOf(due: readonly DueCall[]): DueCall[][] {
  const batches: DueCall[][] = [];
  const size = Math.max(BATCH_MIN, Math.ceil(due.length / BATCHES));
  for (const calls of Map.groupBy(due, ({ contactId }) => contactId).values()) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= size) batches.push([...calls]);
    else last.push(...calls);
  }
  return batches;
}

/** What must be asked of Meta before a call may be dialled. */
type Question = { call: DueCall; contact: Contact; line: StoredLine };

/** `settled` counts the calls that were dialled, blocked or put off. */
type Outcome = {
  dialed: DialedCall[];
  settled: number;
  questions: Question[];
  /** Put off until somebody is free to speak with the customer. */
  agentless: CallState[];
  errors: unknown[];
};

const NOTHING: Outcome = { dialed: [], settled: 0, questions: [], agentless: [], errors: [] };

/** What all transactions of one claim share. */
type ClaimUnderWay = { pick: Pick<DuePick, 'lapsed' | 'holder'>; places: Promise<Places> };

/** One transaction; where one impossible call breaks it, the others are claimed without it. */
async function claimBatch(
  ports: Ports,
  due: readonly DueCall[],
  claim: ClaimUnderWay,
): Promise<Outcome> {
  try {
    return await ports.database.transaction((tx) => claimLocked(ports, tx, due, claim));
  } catch (error) {
    if (error instanceof HoldLost) return NOTHING;
    if (!(error instanceof Bug) || due.length === 1) {
      return { ...NOTHING, errors: [error] };
    }
    const middle = Math.ceil(due.length / 2);
    const first = await claimBatch(ports, due.slice(0, middle), claim);
    const second = await claimBatch(ports, due.slice(middle), claim);
    return {
      dialed: [...first.dialed, ...second.dialed],
      settled: first.settled + second.settled,
      questions: [...first.questions, ...second.questions],
      agentless: [...first.agentless, ...second.agentless],
      errors: [...first.errors, ...second.errors],
    };
  }
}

async function claimLocked(
  ports: Ports,
  tx: Tx,
  due: readonly DueCall[],
  claim: ClaimUnderWay,
): Promise<Outcome> {
  const locked = await lockFreeContacts(tx, [...new Set(due.map(({ contactId }) => contactId))]);
  if (locked.length === 0) return NOTHING;
  const contacts = locked.map(({ contact }) => contact);
  const known = { ...(await gatherContactFacts(tx, ports, contacts)), ...(await claim.places) };
  const lines = await withStops(tx, known.lines);
  const plans = [...known.unfinished.values()].flat().map(({ plan }) => plan);
  const campaigns = await heldCampaigns(tx, campaignsAmong(plans));
  const { lapsed, holder } = claim.pick;
  const facts = { ...known, lines, campaigns, lapsed };
  const now = ports.clock.now();
  const wanted = new Set(due.map(({ id }) => id));
  const units = locked.map((lock) => new PendingUnit(tx, lock, now, ports.ids));
  const dialed: DialedCall[] = [];
  const questions: Question[] = [];
  const agentless: CallState[] = [];
  let settled = 0;
  for (const unit of units) {
    // Read again under the lock: the calls may have been cancelled, claimed or moved in between.
    const mine = (facts.unfinished.get(unit.contact.id) ?? []).filter(
      ({ plan, status }) =>
        status === 'queued' &&
        plan.dueAt <= now &&
        wanted.has(plan.id) &&
        plan.contactId === unit.contact.id,
    );
    for (const call of mine) {
      const result = await dialOne(ports, unit, call, facts);
      settled += 1;
      if (result === null) continue;
      if ('call' in result) {
        questions.push(result);
        continue;
      }
      if ('plan' in result) {
        agentless.push(result);
        continue;
      }
      dialed.push(result);
      // One live call per contact: the gate judges the next one when this one shows as live.
      break;
    }
  }
  await commitUnits(tx, ports, units);
  // The last thing before the commit: what froze meanwhile must not dial on room of the past.
  if (holder !== null && !(await holdsStill(tx, holder))) throw new HoldLost();
  return { dialed, settled, questions, agentless, errors: [] };
}

/** The lines as of now: a stop of everything or a pause waits for us, or we see it. */
async function withStops(
  tx: Tx,
  lines: ReadonlyMap<LineId, StoredLine>,
): Promise<ReadonlyMap<LineId, StoredLine>> {
  const accounts = [...new Set([...lines.values()].map(({ accountId }) => accountId))];
  const asked = [stopsAmong(tx, accounts), pausesAmong(tx, [...lines.keys()])] as const;
  const [stops, pauses] = await Promise.all(asked);
  if (stops.size === 0 && pauses.size === 0) return lines;
  const asOfNow = (line: StoredLine): StoredLine => ({
    ...line,
    stoppedAt: stops.get(line.accountId) ?? null,
    pausedAt: pauses.get(line.id) ?? null,
  });
  return new Map([...lines].map(([id, line]) => [id, asOfNow(line)]));
}

/**
 * Where the pack wants Meta's answer, each call has one of its own, asked when it was due: an
 * answer kept from an earlier call may be fresh by the pack and still miss a no of just now.
 */
function isToAsk(ports: Ports, facts: GateFacts, question: GateQuestion & { dueAt: number }) {
  if (ports.packs.of(question.line.policyPack).liveAnswer === null) return false;
  return (metaAnswerIn(facts, question)?.askedAt ?? -Infinity) < question.dueAt;
}

async function dialOne(
  ports: Ports,
  unit: PendingUnit,
  call: CallState,
  facts: GateFacts & Places & Pick<DuePick, 'lapsed'> & { campaigns: Standings },
): Promise<DialedCall | Question | CallState | null> {
  const { plan } = call;
  const { contact, now } = unit;
  const line = facts.lines.get(plan.lineId);
  const endpoint = facts.endpoints.get(plan.endpointId);
  invariant(line !== undefined, `call ${plan.id} has no line`);
  const block = async (reason: string): Promise<null> => {
    if (endpoint?.options.agents) await ports.agentDesk?.release(unit.tx, plan.id);
    await applyCallEvents(unit, call, abandon(call, 'blocked', reason, now), 'platform', { line });
    return null;
  };
  if (facts.lapsed.has(plan.id)) {
    unit.save(lapseLaterRows, plan.id, { id: plan.id, latestAt: now + LAPSE_AGAIN_MS });
  }
  if (isStopped(facts.campaigns, call, now)) return block('campaign_stopped');
  if (restsWithCampaign(unit, call, facts, facts.campaigns)) return null;
  if (now > latestDialOf(plan, freeSince(facts.campaigns, call, now))) {
    return block(lateReason(call, facts.lapsed.get(plan.id)));
  }
  // It has more time than its plan says, but has taken no room: it goes when it is its turn.
  if (facts.lapsed.has(plan.id)) return null;
  const question = {
    contact,
    line,
    purpose: plan.purpose,
    dueAt: readyAt(call, now),
    callId: plan.id,
    endpointKnown: endpoint !== undefined,
    lineLiveCalls: facts.liveCalls.get(plan.lineId) ?? 0,
    now,
  };
  const decision = decideCall(ports, facts, question);
  const putOff = (waitsFor: string): null => {
    unit.save(putOffRows, plan.id, { id: plan.id, dueAt: now + LINE_BUSY_MS, waitsFor });
    return null;
  };
  if (waitsForLine(decision)) return putOff(LINE_BUSY);
  const mayGo = decision.allowed || waitsForMeta(decision);
  if (mayGo && (await waitsForAgent(ports.agentDesk, unit, call, { line, endpoint }))) return call;
  const isUnasked = mayGo && (!decision.allowed || isToAsk(ports, facts, question));
  if (isUnasked && now < question.dueAt + CALL_LIMITS.metaAnswerMs) {
    await applyCallEvents(unit, call, waitEvents(call, false, now), 'platform', { line });
    const dueAt = now + Math.min(PUT_OFF_MAX_MS, ports.metaAnswers?.waitMs(line.id) ?? 0);
    unit.save(putOffRows, plan.id, { id: plan.id, dueAt, waitsFor: NOT_CONFIRMED });
    return { call: dueCallOf(call), contact, line };
  }
  if (isUnasked) return block(NOT_CONFIRMED);
  if (decision.refusal !== null) {
    const { code, rule = null } = decision.refusal;
    const data = { callId: plan.id, lineId: line.id, code, rule, policyPack: decision.packName };
    const personal = { purpose: plan.purpose, clientReference: plan.clientReference };
    unit.record({ type: 'CallBlocked', actor: 'platform', at: now, data, personal });
    return block(code);
  }
  const consent = consentIn(facts, contact.id, line.id);
  invariant(consent.status === 'granted' && endpoint !== undefined, 'the gate let this call pass');
  const tooMuch = facts.load && ports.endpointDesk?.refusalFor(endpoint, keyIdOf(plan), facts.load);
  if (tooMuch) return passesSoon(tooMuch) ? putOff(tooMuch.code) : block(tooMuch.code);
  const { permissionId, grantedAt } = consent.permission;
  const command = { type: 'Consume', callId: plan.id, permissionId } as const;
  const rules = ports.packs.rulesOf(line.policyPack);
  const used = await applyConsent(unit, line.id, consent, command, { rules, actor: 'platform' });
  if (isRefused(used)) return block(used.refused.code);
  const grant = { permissionId, policyPack: line.policyPack, permissionAgeMs: now - grantedAt };
  facts.liveCalls.set(line.id, question.lineLiveCalls + 1);
  facts.load?.count(endpoint.id, keyIdOf(plan));
  const leased = { line, rows: ports.rows };
  const events = [...waitEvents(call, false, now), ...dial(call, grant, now)];
  const state = await applyCallEvents(unit, call, events, 'platform', leased);
  return { state, contact, line, endpoint };
}

const keyIdOf = ({ keyId = null }: CallState['plan']): string | null => keyId;
