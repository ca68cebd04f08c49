import type { Look } from './look.ts';
import { readRows, type Rows } from './rows.ts';
import { verify } from '../audit-verifier.ts';

/** What must stand in the records, as a stranger reads the tables and asks the API. */

/** Longer than ring, talk and all that may be lost in between. */
const CALL_MAX_MS = 15 * 60_000;

export function everyAttemptEnds({ world, rows, when }: Look): string | null {
  const now = world.clock.now();
  const ended = world.ended;
  for (const call of rows.calls) {
    if (ended.has(call.id) && call.status !== 'ended') return `${call.id} lives again`;
    if (call.status === 'ended') ended.add(call.id);
    const isLate = call.dueAt + CALL_MAX_MS < now && world.crashedAt + CALL_MAX_MS < now;
    if (call.status !== 'ended' && (isLate || when === 'end')) {
      return `${call.id} is ${call.status} and should be over`;
    }
  }
  return null;
}

export function oneCdr({ rows }: Look): string | null {
  for (const { id, status } of rows.calls) {
    const records = rows.cdrs.filter(({ call }) => call === id).length;
    const wanted = status === 'ended' ? 1 : 0;
    if (records !== wanted) return `${id} is ${status} and has ${records} CDRs`;
    const ends = rows.ledger.filter(
      ({ type, data }) => type === 'CallEnded' && data['callId'] === id,
    ).length;
    if (ends !== wanted) return `${id} is ${status} and has ended ${ends} times in the ledger`;
  }
  return null;
}

/** The phone's own clock against the record, where the record claims a conversation. */
export function cdrTellsTheTruth({ world, rows }: Look): string | null {
  for (const { call, record } of rows.cdrs) {
    const { outcome, answeredAt, endedAt } = record;
    const dial = world.witness.dials.find(({ callId }) => callId === call);
    const wacid = dial?.wacid;
    if (outcome !== 'completed' || typeof answeredAt !== 'string') continue;
    // What nobody was told in time cannot stand in the record.
    const news = world.witness.news.get(String(wacid));
    const isKnown = news !== undefined && news.hasEnd && !news.isLate;
    // A process that died over the call has not seen all of it.
    const until = Date.parse(String(endedAt)) + AFTERWARDS_MS;
    const hasDied = world.crashes.some((at) => at >= (dial?.at ?? 0) && at <= until);
    if (!isKnown || hasDied) continue;
    const seen = world.simulator
      .people()
      .flatMap(({ pastCalls }) => pastCalls)
      .find(({ id }) => id === wacid);
    if (seen === undefined || seen.answeredAt === null || seen.endedAt === null) continue;
    const talked = Date.parse(seen.endedAt) - Date.parse(seen.answeredAt);
    const told = Date.parse(String(endedAt)) - Date.parse(answeredAt);
    if (Math.abs(told - talked) > WHOLE_SECONDS_MS) {
      return `${call} lasted ${talked} ms, its CDR says ${told} ms`;
    }
  }
  return null;
}

/** In which the end of a call may still be on its way. */
const AFTERWARDS_MS = 60_000;

/** One second as the promise says, and one that Meta's whole seconds cost. */
const WHOLE_SECONDS_MS = 2_000;

const DECISIONS = new Set(['CallDialing', 'CallBlocked', 'CallRefused', 'RequestRefused']);

export function decisionsNameTheirPack({ rows }: Look): string | null {
  const silent = rows.ledger.find(
    ({ type, data }) => DECISIONS.has(type) && typeof data['policyPack'] !== 'string',
  );
  return silent === undefined ? null : `${silent.type} ${silent.sequence} names no pack`;
}

/** Links at every step; every hash, by the separate program, at the end of the day. */
export async function ledgerVerifies({ world, rows, when }: Look): Promise<string | null> {
  let before: Rows['ledger'][number] | undefined;
  for (const entry of rows.ledger) {
    const isFirst = before?.contact !== entry.contact;
    const sequence = isFirst ? 1 : (before?.sequence ?? 0) + 1;
    const previous = isFirst ? '' : before?.hash;
    if (entry.sequence !== sequence || entry.previous !== previous) {
      return `entry ${entry.sequence} of ${entry.contact} does not follow its predecessor`;
    }
    before = entry;
  }
  if (when === 'step') return null;
  for (const business of world.stage.businesses) {
    const answer = await world.request(business, 'GET', '/v1/ledger/export');
    if (answer === null || answer.statusCode !== 200) return 'the ledger cannot be exported';
    const verdict = await verify(answer.rawPayload);
    if (!verdict.ok) return verdict.problems[0]?.message ?? 'the ledger does not verify';
  }
  return null;
}

export function eventsWithoutGap({ rows }: Look): string | null {
  const next = new Map<string, number>();
  const sorted = [...rows.events].sort((a, b) => a.sequence - b.sequence);
  for (const { call, type, sequence } of sorted) {
    if (call === null || !type.startsWith('call.')) continue;
    const wanted = (next.get(call) ?? 0) + 1;
    if (sequence !== wanted) return `${call} has event ${sequence} where ${wanted} is due`;
    next.set(call, wanted);
  }
  return null;
}

/** Delivered means that the receiver has it; whatever else is visible as waiting or failed. */
export function eventsArrive({ world, rows, when }: Look): string | null {
  const deliveries = new Map(rows.deliveries.map((each) => [each.event, each]));
  for (const { id, account } of rows.events) {
    const delivery = deliveries.get(id);
    if (delivery === undefined) return `event ${id} has no delivery`;
    const to = world.received.get(id);
    if (delivery.status === 'delivered' && to === undefined) {
      return `event ${id} counts as delivered, but nobody has it`;
    }
    const owner = world.stage.businesses.findIndex(({ accountId }) => accountId === account);
    if (to !== undefined && to !== owner) return `event ${id} went to another business`;
    const isForgotten = delivery.status === 'pending' && delivery.nextAt < world.clock.now();
    if (when === 'end' && isForgotten) return `event ${id} waits since long`;
  }
  return null;
}

/** Looks over the fence: each business asks for what the other was told of. */
export async function businessesApart({ world, day, rows, when }: Look): Promise<string | null> {
  const { businesses } = world.stage;
  if (when === 'step') return null;
  for (const [nth, business] of businesses.entries()) {
    for (const id of day.idsOf.get(1 - nth) ?? []) {
      const path = pathOf(id);
      if (path === null) continue;
      const answer = await world.request(business, 'GET', path);
      if (answer?.statusCode === 200) return `${business.name} was shown ${id}`;
    }
    const mine = new Set(
      rows.calls.filter(({ account }) => account === business.accountId).map(({ id }) => id),
    );
    const answer = await world.request(business, 'GET', '/v1/calls?limit=100');
    const { items = [] } = JSON.parse(answer?.body ?? '{}') as { items?: Array<{ id: string }> };
    const strange = items.find(({ id }) => !mine.has(id));
    if (strange !== undefined) return `${business.name} was shown ${strange.id} in a list`;
  }
  return null;
}

function pathOf(id: string): string | null {
  if (id.startsWith('call_')) return `/v1/calls/${id}`;
  if (id.startsWith('cont_')) return `/v1/contacts/${id}`;
  if (id.startsWith('preq_')) return `/v1/permission-requests/${id}`;
  return null;
}

/** Of the POSTs of a day, those that an `Idempotency-Key` makes repeatable. */
const WITH_KEY = new Set(['/v1/calls', '/v1/permission-requests']);

/** Everything once more: every webhook Meta got a 200 for, every POST with its key. */
export async function replaysChangeNothing({ world, day, when }: Look): Promise<string | null> {
  if (when === 'step') return null;
  const before = JSON.stringify(await readRows(world.stage.forTheRest));
  for (const body of world.witness.taken) {
    const status = await world.deliver(body);
    if (status !== 200) return `a replayed webhook was answered ${status}`;
  }
  for (const { business, path, body, key, status, answer } of day.posted) {
    if (!WITH_KEY.has(path)) continue;
    const again = await world.request(business, 'POST', path, body, key);
    if (again?.statusCode !== status || again.body !== answer) {
      return `POST ${path} with the same key was answered ${again?.statusCode}, not ${status}`;
    }
  }
  await world.settled();
  const after = JSON.stringify(await readRows(world.stage.forTheRest));
  return before === after ? null : 'replays have changed rows';
}
