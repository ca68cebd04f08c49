import { isoTime } from '../../src/platform/clock.ts';
import { DAY_MS, HOUR_MS } from './frame.ts';
import type { Look } from './look.ts';
import type { LedgerRow } from './rows.ts';
import type { Act, Dial } from './witness.ts';

/** What people must be spared, as a bystander sees it. */

/** The strict pack's day, and what is lost to whole seconds in Meta's times. */
const GRANT_MS = DAY_MS + 2_000;
/** A cap may be passed while the calls of a process that died still ring on. */
const AFTER_CRASH_MS = 120_000;
const CANCEL_MS = 60_000;

/** A grant that had been taken in, not older than a day, and not known to be withdrawn. */
export function ringsArePermitted({ world, rows }: Look): string | null {
  for (const dial of newDials(world.witness.dials)) {
    const decidedAt = decisionOn(rows.ledger, dial)?.at ?? dial.at;
    const acts = actsOf(world.witness.acts, dial, world);
    const isCovered = acts.some(
      (grant) =>
        grant.kind === 'grant' &&
        (grant.takenAt ?? Infinity) <= decidedAt &&
        decidedAt < grant.at + GRANT_MS &&
        !acts.some((act) => withdraws(act, grant, decidedAt)),
    );
    if (isCovered) continue;
    return `${tell(dial)} was dialled without a live permission${saidBy(acts)}`;
  }
  return null;
}

function withdraws(act: Act, grant: Act, decidedAt: number): boolean {
  const isKnown = (act.settledAt ?? Infinity) < decidedAt;
  const isNo = act.kind === 'refusal' || act.kind === 'stop' || act.kind === 'doNotCall';
  // Meta's times are whole seconds: within one, either may have been the last word.
  return isNo && isKnown && act.at > grant.at + 1_000;
}

/** By the witness: whoever has said stop, and was heard, is not dialled any more. */
export function nobodyRungAfterStop({ world, rows }: Look): string | null {
  for (const dial of newDials(world.witness.dials)) {
    const decision = decisionOn(rows.ledger, dial);
    const decidedAt = decision?.at ?? dial.at;
    const acts = world.witness.acts.filter(
      (act) => act.number === dial.number && act.business === businessOf(dial, world),
    );
    const stop = acts.findLast(
      (act) =>
        (act.kind === 'stop' || act.kind === 'doNotCall') &&
        (act.settledAt ?? Infinity) < decidedAt,
    );
    if (stop === undefined) continue;
    const isLifted = acts.some(
      (act) => (act.kind === 'grant' || act.kind === 'doNotCallLifted') && act.at > stop.at - 1_000,
    );
    if (!isLifted) return `${tell(dial)} was dialled after "${stop.kind}"`;
  }
  return null;
}

export function oneAttempt({ world }: Look): string | null {
  const seen = new Map<string, Dial>();
  for (const dial of world.witness.dials) {
    if (seen.has(dial.callId)) return `${tell(dial)} was dialled twice for ${dial.callId}`;
    seen.set(dial.callId, dial);
  }
  return null;
}

/** Never more rings between one line and one person than that person has said yes to. */
export function permissionsUsedOnce({ world }: Look): string | null {
  const rings = world.witness.dials.filter(({ status }) => status === 200);
  for (const dial of rings.filter(({ checked }) => !checked)) {
    const same = rings.filter(
      (each) =>
        each.at <= dial.at &&
        each.number === dial.number &&
        each.phoneNumberId === dial.phoneNumberId,
    );
    const grants = actsOf(world.witness.acts, dial, world).filter(
      ({ kind, takenAt }) => kind === 'grant' && (takenAt ?? Infinity) <= dial.at,
    );
    if (same.length > grants.length) {
      return `${tell(dial)} rang ${same.length} times on ${grants.length} permissions`;
    }
  }
  return null;
}

/** Requests that Meta took: once a day (unless a call came through), three times without a yes. */
export function notAskedTooOften({ world }: Look): string | null {
  const { asked, acts } = world.witness;
  for (const latest of asked.filter(({ taken }) => taken)) {
    const yes = acts.findLast(
      (act) =>
        act.kind === 'grant' &&
        act.number === latest.number &&
        act.phoneNumberId === latest.phoneNumberId &&
        act.at <= latest.at,
    );
    const since = yes?.at ?? -Infinity;
    const unanswered = asked.filter(
      (each) =>
        each.taken &&
        each.number === latest.number &&
        each.phoneNumberId === latest.phoneNumberId &&
        each.at > since &&
        each.at <= latest.at,
    );
    if (unanswered.length > REQUESTS_MAX) {
      return `${latest.number} was asked ${unanswered.length} times without a yes`;
    }
  }
  return null;
}

const REQUESTS_MAX = 3;

/** The places of the page, by prefix; whoever else lives behind +1 or +7 is not called here. */
const BARRED = ['+1', '+90', '+20', '+84', '+234', '+53', '+98', '+850', '+963', '+7', '+3806'];

export function noBarredPlace({ world }: Look): string | null {
  const dial = newDials(world.witness.dials).find(({ number }) =>
    BARRED.some((prefix) => number.startsWith(prefix)),
  );
  return dial === undefined ? null : `${tell(dial)} is in a barred place`;
}

/** Of the places where the day's people live, by this file's own reading of the law. */
const HOURS = [
  { prefix: '+44', offsetHours: 1, spans: [[8, 21]] },
  {
    prefix: '+33',
    offsetHours: 2,
    spans: [
      [10, 13],
      [14, 20],
    ],
  },
] as const;

/** The clinic has set the law aside, as the sandbox does; the shop has not. */
const PROTECTED_BUSINESS = 1;

/** The day is a Wednesday in June: summer time, no holiday. */
export function keepsHours({ world, rows }: Look): string | null {
  for (const dial of newDials(world.witness.dials)) {
    if (businessOf(dial, world) !== PROTECTED_BUSINESS) continue;
    const place = HOURS.find(({ prefix }) => dial.number.startsWith(prefix));
    if (place === undefined) continue;
    const at = decisionOn(rows.ledger, dial)?.at ?? dial.at;
    const hour = (at / HOUR_MS + place.offsetHours) % 24;
    const isOpen = place.spans.some(([from, to]) => hour >= from && hour < to);
    if (!isOpen) return `${tell(dial)} was dialled at ${hour.toFixed(2)} o'clock there`;
  }
  return null;
}

export function capHolds({ world }: Look): string | null {
  const cap = world.callsAtOnce;
  for (const dial of newDials(world.witness.dials)) {
    const isQuiet = dial.at - world.crashedAt > AFTER_CRASH_MS;
    if (isQuiet && dial.liveCalls > cap)
      return `${dial.liveCalls} calls are live, the cap is ${cap}`;
  }
  return null;
}

/** A minute after a stop nothing waits for that person any more. */
export function stopsCancel({ world, day, rows }: Look): string | null {
  const now = world.clock.now();
  const { businesses } = world.stage;
  for (const call of rows.calls.filter(({ status }) => status === 'queued')) {
    const number = day.numberOf.get(call.contact);
    const business = businesses.findIndex(({ accountId }) => accountId === call.account);
    const stop = world.witness.acts.find(
      (act) =>
        act.kind === 'stop' &&
        act.number === number &&
        act.business === business &&
        (act.settledAt ?? Infinity) < now - CANCEL_MS,
    );
    const mayBeNew = world.witness.acts.some(
      (act) => act.number === number && act.kind === 'grant' && act.at > (stop?.at ?? 0) - 1_000,
    );
    if (stop !== undefined && !mayBeNew) return `${call.id} still waits after a stop`;
  }
  return null;
}

function newDials(dials: readonly Dial[]): Dial[] {
  return dials.filter(({ checked }) => !checked);
}

function decisionOn(ledger: readonly LedgerRow[], dial: Dial): LedgerRow | undefined {
  return ledger.find(({ type, data }) => type === 'CallDialing' && data['callId'] === dial.callId);
}

function businessOf(dial: Dial, world: Look['world']): number {
  const line = world.stage.lineOf(dial.phoneNumberId);
  return line?.business ?? -1;
}

/** What this person said that counts for this line. */
function actsOf(acts: readonly Act[], dial: Dial, world: Look['world']): Act[] {
  const business = businessOf(dial, world);
  return acts.filter(
    (act) =>
      act.number === dial.number &&
      act.business === business &&
      (act.phoneNumberId === null || act.phoneNumberId === dial.phoneNumberId),
  );
}

function saidBy(acts: readonly Act[]): string {
  const time = (at: number | null): string => (at === null ? 'never' : isoTime(at).slice(11, 23));
  return acts
    .map(({ kind, at, settledAt }) => `; ${kind} at ${time(at)}, settled ${time(settledAt)}`)
    .join('');
}

function tell(dial: Dial): string {
  return `${dial.number} (line …${dial.phoneNumberId.slice(-2)})`;
}
