import { stopsAmong } from '../accounts/account-store.ts';
import { attributed, type Attribution } from '../attribution/attribution.ts';
import type { GatePorts } from '../calls/call-gate.ts';
import { drawArm } from '../experiments/arm-lookup.ts';
import { waitsForHour } from '../experiments/asking-hour.ts';
import type { ArmOverrides } from '../experiments/assignment.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { readLines, type StoredLine } from '../lines/line-store.ts';
import { isoTime } from '../platform/clock.ts';
import { isId, type PermissionRequestId } from '../platform/ids.ts';
import { isRefused, type Refusal, type Refused } from '../platform/refusal.ts';
import type { RequestRow } from './consent-store.ts';
import {
  latestOf,
  PLAN_AHEAD_MS,
  triedAgainAt,
  type PlannedRequest,
  type PlannedWish,
} from './planned-request.ts';
import { plannedAsked, plannedOf, plannedRows, readPlanned } from './planned-request-store.ts';
import {
  askForPermission,
  refuse,
  requestRefusal,
  wordedAsk,
  type AskForPermission,
} from './request-commands.ts';

/** How soon a question of a stopped account is looked at again; no refusal is written for it. */
const STOPPED_MS = 60_000;

/** Asks now, or plans it where a later time or the hour of the person's arm is wished for. */
export async function askOrPlan(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  { wish, sendAt }: { wish: PlannedWish; sendAt: number | null },
): Promise<RequestRow | PlannedRequest | Refused> {
  const at = await plannedTime(unit, wish, sendAt);
  if (at !== null) return planRequest(unit, ports, line, { wish, at });
  return askForPermission(unit, ports, line, await askOf(unit, wish));
}

/**
 * When a question is to be asked: at the time that was wished for, or at the next hour of the
 * person's arm from then on. Null: now.
 */
async function plannedTime(
  unit: ContactUnit,
  wish: PlannedWish,
  sendAt: number | null,
): Promise<number | null> {
  const { now } = unit;
  const from = Math.max(now, sendAt ?? now);
  const { overrides } = await drawnFor(unit, wish);
  const wanted = { now: from, chosen: null, notAfter: wish.promisedAt };
  const at = waitsForHour(overrides.askAtHour, unit.contact, wanted) ?? from;
  return at > now ? at : null;
}

/**
 * Plans a question for later, if it could go out then as far as is known now; where only time
 * stands in the way it is put off to the first minute that the gate allows.
 */
async function planRequest(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  { wish, at }: { wish: PlannedWish; at: number },
): Promise<PlannedRequest | Refused> {
  const { contact, now, tx } = unit;
  if (at > now + PLAN_AHEAD_MS) return { refused: TOO_FAR };
  const others = await plannedOf(tx, [contact.id], 'planned');
  const other = others.find(({ lineId }) => lineId === line.id);
  if (other !== undefined) return { refused: { ...PLANNED, evidence: { requestId: other.id } } };
  const ask = await askOf(unit, wish);
  const worded = await wordedAsk(unit, line, ask);
  if (isRefused(worded)) return worded;
  const inTheWay = await requestRefusal(unit, ports, line, { ask, worded, at });
  const laterAt = inTheWay === null ? null : triedAgainAt({ plannedFor: at, wish }, inTheWay, at);
  if (inTheWay !== null && laterAt === null) return refuse(unit, line, ask, inTheWay);
  const { name: template, language } = worded.template;
  const dueAt = laterAt ?? at;
  const planned: PlannedRequest = {
    id: unit.ids.next('permissionRequest', contact.bucket),
    accountId: contact.accountId,
    contactId: contact.id,
    lineId: line.id,
    status: 'planned',
    wish,
    language,
    text: worded.text,
    attribution: ask.attribution ?? null,
    plannedFor: at,
    dueAt,
    plannedAt: now,
    end: null,
  };
  unit.save(plannedRows, planned.id, planned);
  const data = { requestId: planned.id, lineId: line.id, template, language, dueAt };
  unit.record({
    type: 'PermissionRequestPlanned',
    actor: wish.actor,
    at: now,
    data: { ...data, ...attributed(ask.attribution) },
    personal: { purpose: ask.purpose },
    announce: {
      type: 'permission.planned',
      callId: null,
      sequence: 0,
      data: {
        lineId: line.id,
        requestId: planned.id,
        purpose: ask.purpose,
        sendAt: isoTime(dueAt),
      },
    },
  });
  return planned;
}

/** Asks what was planned, now that its time has come; or puts it off, or gives it up. */
export async function askPlanned(
  unit: ContactUnit,
  ports: GatePorts,
  id: PermissionRequestId,
): Promise<void> {
  const { contact, now, tx } = unit;
  const planned = await readPlanned(tx, contact.accountId, id);
  // Read under the lock: somebody else may have asked it, or cancelled it, in between.
  if (planned === null || planned.status !== 'planned' || planned.dueAt > now) return;
  const putOff = (dueAt: number): void => unit.save(plannedRows, id, { ...planned, dueAt });
  if ((await stopsAmong(tx, [contact.accountId])).size > 0) return putOff(now + STOPPED_MS);
  const [line] = await readLines(tx, [planned.lineId]);
  if (line === undefined) return end(unit, planned, 'refused', LINE_GONE, 'platform');
  if (now > latestOf(planned)) return end(unit, planned, 'refused', TOO_LATE, 'platform');
  if (contact.mergedInto !== null) return end(unit, planned, 'refused', MERGED, 'platform');
  const { overrides } = await drawnFor(unit, planned.wish);
  const chosen = { now, chosen: planned.dueAt, notAfter: planned.wish.promisedAt };
  const hourAt = waitsForHour(overrides.askAtHour, contact, chosen);
  if (hourAt !== null) return putOff(hourAt);
  const ask = await askOf(unit, planned.wish);
  const asked = await askForPermission(unit, ports, line, { ...ask, requestId: id });
  if (!isRefused(asked)) return unit.save(plannedAsked, id, id);
  const laterAt = triedAgainAt(planned, asked.refused, now);
  if (laterAt !== null) return putOff(laterAt);
  return end(unit, planned, 'refused', asked.refused, 'platform');
}

/** What is answered where the plan is a request by now. */
export function alreadyAsked(): Refused {
  return { refused: NOT_PLANNED };
}

/** Takes one plan back; once it was asked there is none any more. */
export function cancelPlannedRequest(
  unit: ContactUnit,
  planned: PlannedRequest,
  actor: string,
): PlannedRequest | Refused {
  if (planned.status === 'cancelled') return planned;
  if (planned.status === 'refused') return { refused: NOT_PLANNED };
  end(unit, planned, 'cancelled', CANCELLED, actor);
  return unit.savedRow(plannedRows, planned.id) ?? planned;
}

/** Cancels all that is planned for the person of the unit, whichever contact it was planned for. */
export async function cancelPlanned(
  unit: ContactUnit,
  reason: 'opted_out' | 'erased',
  actor = 'platform',
): Promise<void> {
  const units = new Map([unit, ...unit.absorbed].map((each) => [each.contact.id, each]));
  for (const planned of await plannedOf(unit.tx, [...units.keys()], 'planned')) {
    const of = units.get(planned.contactId) ?? unit;
    end(of, planned, 'cancelled', { ...CANCELLED, code: reason }, actor);
  }
}

/** It is not asked: the row says why, and so do ledger and event. */
function end(
  unit: ContactUnit,
  planned: PlannedRequest,
  status: 'cancelled' | 'refused',
  { code, message, fix }: Refusal,
  actor: string,
): void {
  const { id: requestId, lineId, wish, attribution } = planned;
  const at = unit.now;
  unit.save(plannedRows, requestId, { ...planned, status, end: { code, message, fix, at } });
  const data = { requestId, lineId, code };
  unit.record({
    type: 'PermissionPlanEnded',
    actor,
    at,
    data: { ...data, ...attributed(attribution) },
    announce: {
      type: 'permission.plan_ended',
      callId: null,
      sequence: 0,
      data: { ...data, purpose: wish.purpose },
    },
  });
}

/** The wish as the person's arm has it now: an arm that was stopped since is nobody's. */
async function askOf(unit: ContactUnit, wish: PlannedWish): Promise<AskForPermission> {
  const { overrides, attribution } = await drawnFor(unit, wish);
  const purpose = overrides.purpose ?? wish.purpose;
  const { promisedAt, actor } = wish;
  return {
    purpose,
    template: overrides.template ?? wish.template,
    language: overrides.language ?? wish.language,
    variables: wish.variables ?? [wish.name ?? unit.contact.name ?? 'there', purpose],
    promisedAt,
    attribution,
    actor,
  };
}

type Drawn = { overrides: ArmOverrides; attribution: Attribution | undefined };

async function drawnFor({ contact, tx }: ContactUnit, wish: PlannedWish): Promise<Drawn> {
  const { id: contactId, accountId } = contact;
  const attribution = wish.attribution ?? undefined;
  const { experimentId: named } = wish;
  const experimentId = named !== null && isId('experiment', named) ? named : undefined;
  const drawn = await drawArm(tx, { accountId, contactId, experimentId, attribution });
  return drawn ?? { overrides: {}, attribution };
}

const TOO_FAR: Refusal = {
  code: 'request_plan_too_far',
  message: 'A request can be planned at most 90 days ahead.',
  fix: 'Name an earlier sendAt.',
};
const PLANNED: Refusal = {
  code: 'request_planned',
  message: 'A request to this customer is planned on this line already.',
  fix: 'Wait for it, or cancel the one in evidence.requestId.',
};
const NOT_PLANNED: Refusal = {
  code: 'request_not_planned',
  message: 'This request is not planned any more: it was asked, or given up.',
  fix: 'Nothing can be taken back; GET /v1/permission-requests/{id} tells what became of it.',
};
const CANCELLED: Refusal = {
  code: 'cancelled',
  message: 'It was cancelled before its time.',
  fix: 'Plan a new one if it was a mistake.',
};
const TOO_LATE: Refusal = {
  code: 'too_late',
  message: 'Its time was over before it could be asked.',
  fix: 'Plan a new one; it was held up by a stop of the account, or by the hours and limits.',
};
const LINE_GONE: Refusal = {
  code: 'line_unknown',
  message: 'Its line is there no more.',
  fix: 'Plan it on another line.',
};
const MERGED: Refusal = {
  code: 'contact_merged',
  message: 'The contact is one person with another contact, who goes on for them.',
  fix: 'Plan it for the number or user id of that contact.',
};
