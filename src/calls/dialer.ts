import { stopsAmong } from '../accounts/account-store.ts';
import { pausesAmong } from '../brakes/brake-store.ts';
import { applyConsent } from '../consent/consent-commands.ts';
import { lockFreeContacts } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import type { Tx } from '../database/database.ts';
import { passesSoon } from '../endpoints/caps.ts';
import type { EndpointDesk, EndpointLoad } from '../endpoints/endpoint-desk.ts';
import { readEndpoints, type StoredEndpoint } from '../endpoints/endpoint-store.ts';
import {
  PendingUnit,
  commitUnits,
  type LedgerPorts,
  type RowStore,
} from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { MetaAnswerDesk } from '../meta-answers/meta-answer-desk.ts';
import { Bug, invariant } from '../platform/invariant.ts';
import type { CallId, EndpointId, LineId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { limitingLayers } from '../policy/layers.ts';
import type { RefusalCode } from '../policy/refusal-codes.ts';
import type { CallState } from './call.ts';
import { applyCallEvents } from './call-events.ts';
import {
  consentIn,
  decideCall,
  gatherContactFacts,
  linesById,
  metaAnswerIn,
  waitsForLine,
  waitsForMeta,
  type GateFacts,
  type GatePorts,
  type GateQuestion,
} from './call-gate.ts';
import { CALL_LIMITS, abandon, dial } from './call-rules.ts';
import {
  dueCalls,
  leasedCallRows,
  liveCallsOfLines,
  nextDueAt,
  putOffRows,
  type DueCall,
} from './call-store.ts';

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
};

export type DialerPorts = LedgerPorts &
  GatePorts & {
    owner: string;
    leaseSeconds: number;
    /** Asks Meta where a pack wants it; without it such a pack lets no call pass. */
    metaAnswers?: Pick<MetaAnswerDesk, 'want' | 'waitMs'>;
    /** Guard and caps of endpoints; without it none are set. */
    endpointDesk?: Pick<EndpointDesk, 'loadOf' | 'refusalFor'>;
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

type Ports = DialerPorts & { rows: RowStore<CallState> };

export function openDialer(dialerPorts: DialerPorts): Dialer {
  const { owner, leaseSeconds, clock, database } = dialerPorts;
  const ports = { ...dialerPorts, rows: leasedCallRows(owner, leaseSeconds) };
  // Put-off calls whose answer has come: only a hint, for they fall due again by themselves.
  const answered = new Map<CallId, DueCall>();
  const askMeta = (questions: readonly Question[]): void => {
    for (const { call, contact, line } of questions) {
      ports.metaAnswers?.want(contact, line, () => answered.set(call.id, call));
    }
  };
  return {
    async claim(room) {
      const now = clock.now();
      const limit = Math.min(room, CLAIM_MAX);
      for (const call of await dueCalls(database, now, limit)) answered.set(call.id, call);
      const due = [...answered.values()].slice(0, limit);
      for (const { id } of due) answered.delete(id);
      if (due.length === 0) {
        return { dialed: [], lookAgainAt: await nextDueAt(database), errors: [] };
      }
      // Read beside the first statements of the transactions, which need it only to judge.
      const places = placesOf(ports, due);
      places.catch(() => undefined);
      const outcomes = await Promise.all(
        batchesOf(due).map((batch) => claimBatch(ports, batch, places)),
      );
      askMeta(outcomes.flatMap(({ questions }) => questions));
      const isStuck = outcomes.every(({ settled }) => settled === 0);
      return {
        dialed: outcomes.flatMap(({ dialed }) => dialed),
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

/** Where calls come from and go to. No contact's lock protects it, so it is read once for all. */
type Places = Pick<GateFacts, 'lines'> & {
  endpoints: ReadonlyMap<EndpointId, StoredEndpoint>;
  /**
   * Of lines that have a cap. Counted once per claim and raised with each dial, so that no batch
   * passes the cap.
   */
  liveCalls: Map<LineId, number>;
  /** The same of endpoints and API keys; null without a desk. */
  load: EndpointLoad | null;
};

async function placesOf(ports: Ports, due: readonly DueCall[]): Promise<Places> {
  const { database } = ports;
  const [lines, endpoints] = await Promise.all([
    linesById(database, [...new Set(due.map(({ lineId }) => lineId))]),
    readEndpoints(database, [...new Set(due.map(({ endpointId }) => endpointId))]),
  ]);
  const [liveCalls, load = null] = await Promise.all([
    liveCallsOfLines(database, capsOf(ports, lines.values())),
    ports.endpointDesk?.loadOf(database, endpoints),
  ]);
  const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  return { lines, endpoints: byId, liveCalls, load };
}

/** Caps are set by packs, accounts and lines alone, so they are the same for every customer. */
function capsOf({ packs }: Ports, lines: Iterable<StoredLine>): Map<LineId, number> {
  const caps = new Map<LineId, number>();
  for (const line of lines) {
    const layers = limitingLayers(packs.layersOf(line, { e164: null, country: null }));
    const all = layers.flatMap(({ limits }) => limits.lineCalls?.concurrentMax ?? []);
    if (all.length > 0) caps.set(line.id, Math.min(...all));
  }
  return caps;
}

/** What must be asked of Meta before a call may be dialled. */
type Question = { call: DueCall; contact: Contact; line: StoredLine };

/** `settled` counts the calls that were dialled, blocked or put off. */
type Outcome = {
  dialed: DialedCall[];
  settled: number;
  questions: Question[];
  errors: unknown[];
};

/** One transaction; where one impossible call breaks it, the others are claimed without it. */
async function claimBatch(
  ports: Ports,
  due: readonly DueCall[],
  places: Promise<Places>,
): Promise<Outcome> {
  try {
    return await ports.database.transaction((tx) => claimLocked(ports, tx, due, places));
  } catch (error) {
    if (!(error instanceof Bug) || due.length === 1) {
      return { dialed: [], settled: 0, questions: [], errors: [error] };
    }
    const middle = Math.ceil(due.length / 2);
    const first = await claimBatch(ports, due.slice(0, middle), places);
    const second = await claimBatch(ports, due.slice(middle), places);
    return {
      dialed: [...first.dialed, ...second.dialed],
      settled: first.settled + second.settled,
      questions: [...first.questions, ...second.questions],
      errors: [...first.errors, ...second.errors],
    };
  }
}

async function claimLocked(
  ports: Ports,
  tx: Tx,
  due: readonly DueCall[],
  places: Promise<Places>,
): Promise<Outcome> {
  const locked = await lockFreeContacts(tx, [...new Set(due.map(({ contactId }) => contactId))]);
  if (locked.length === 0) return { dialed: [], settled: 0, questions: [], errors: [] };
  const contacts = locked.map(({ contact }) => contact);
  const known = { ...(await gatherContactFacts(tx, ports, contacts)), ...(await places) };
  const facts = { ...known, lines: await withStops(tx, known.lines) };
  const now = ports.clock.now();
  const wanted = new Set(due.map(({ id }) => id));
  const units = locked.map((lock) => new PendingUnit(tx, lock, now, ports.ids));
  const dialed: DialedCall[] = [];
  const questions: Question[] = [];
  let settled = 0;
  for (const unit of units) {
    // Read again under the lock: the calls may have been cancelled or claimed in between.
    const mine = (facts.unfinished.get(unit.contact.id) ?? []).filter(
      ({ plan, status }) =>
        status === 'queued' && wanted.has(plan.id) && plan.contactId === unit.contact.id,
    );
    for (const call of mine) {
      const result = await dialOne(ports, unit, call, facts);
      settled += 1;
      if (result === null) continue;
      if ('call' in result) {
        questions.push(result);
        continue;
      }
      dialed.push(result);
      // One live call per contact: the gate judges the next one when this one shows as live.
      break;
    }
  }
  await commitUnits(tx, ports, units);
  return { dialed, settled, questions, errors: [] };
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
  facts: GateFacts & Places,
): Promise<DialedCall | Question | null> {
  const { plan } = call;
  const { contact, now } = unit;
  const line = facts.lines.get(plan.lineId);
  const endpoint = facts.endpoints.get(plan.endpointId);
  invariant(line !== undefined, `call ${plan.id} has no line`);
  const block = async (reason: string): Promise<null> => {
    await applyCallEvents(unit, call, abandon(call, 'blocked', reason, now), 'platform', { line });
    return null;
  };
  if (now > plan.dueAt + CALL_LIMITS.lateMs) return block('too_late');
  const question = {
    contact,
    line,
    purpose: plan.purpose,
    dueAt: plan.dueAt,
    callId: plan.id,
    endpointKnown: endpoint !== undefined,
    lineLiveCalls: facts.liveCalls.get(plan.lineId) ?? 0,
    now,
  };
  const decision = decideCall(ports, facts, question);
  if (waitsForLine(decision)) {
    unit.save(putOffRows, plan.id, { id: plan.id, dueAt: now + LINE_BUSY_MS });
    return null;
  }
  const isUnasked = waitsForMeta(decision) || (decision.allowed && isToAsk(ports, facts, question));
  if (isUnasked && now < plan.dueAt + CALL_LIMITS.metaAnswerMs) {
    const { id, contactId, lineId, endpointId } = plan;
    const dueAt = now + Math.min(PUT_OFF_MAX_MS, ports.metaAnswers?.waitMs(lineId) ?? 0);
    unit.save(putOffRows, id, { id, dueAt });
    return { call: { id, contactId, lineId, endpointId }, contact, line };
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
  if (tooMuch) {
    if (!passesSoon(tooMuch)) return block(tooMuch.code);
    unit.save(putOffRows, plan.id, { id: plan.id, dueAt: now + LINE_BUSY_MS });
    return null;
  }
  const { permissionId, grantedAt } = consent.permission;
  const command = { type: 'Consume', callId: plan.id, permissionId } as const;
  const rules = ports.packs.rulesOf(line.policyPack);
  const used = await applyConsent(unit, line.id, consent, command, { rules, actor: 'platform' });
  if (isRefused(used)) return block(used.refused.code);
  const grant = { permissionId, policyPack: line.policyPack, permissionAgeMs: now - grantedAt };
  facts.liveCalls.set(line.id, question.lineLiveCalls + 1);
  facts.load?.count(endpoint.id, keyIdOf(plan));
  const leased = { line, rows: ports.rows };
  const state = await applyCallEvents(unit, call, dial(call, grant, now), 'platform', leased);
  return { state, contact, line, endpoint };
}

const keyIdOf = ({ keyId = null }: CallState['plan']): string | null => keyId;
