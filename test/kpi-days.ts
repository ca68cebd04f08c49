import type { Recorded } from '../src/ledger/contact-unit.ts';
import type { Ids } from '../src/platform/ids.ts';
import type { Random } from '../src/platform/random.ts';

/**
 * Random histories of one contact as ledger entries: what comes late, comes twice, comes in the
 * wrong order or never. Not everything here could happen; whatever could is in here.
 */
export type KpiWorld = {
  lines: readonly string[];
  endpoints: readonly string[];
  campaigns: readonly string[];
  purposes: readonly string[];
  from: number;
};

export type ContactDay = { entries: Recorded[]; purposes: Map<string, string> };

const HOUR = 3_600_000;

export function randomDay(random: Random, ids: Ids, bucket: number, world: KpiWorld): ContactDay {
  const day: ContactDay = { entries: [], purposes: new Map() };
  const permissions: string[] = [];
  for (let count = random.below(4); count >= 0; count -= 1) {
    permissions.push(addRequest(day, random, ids, bucket, world));
  }
  for (let count = random.below(5); count > 0; count -= 1) {
    addCall(day, random, ids, bucket, world, permissions);
  }
  for (let count = random.below(3); count > 0; count -= 1) {
    const way = pick(random, ['message', 'key_press', 'same_person', 'whatsapp']);
    const lineId = random.below(4) === 0 ? null : pick(random, world.lines);
    add(day, 'OptedOut', world.from + random.below(72 * HOUR), {
      lineId,
      way,
      waitedMs: random.below(5_000),
    });
  }
  const doubled = day.entries.filter(() => random.below(6) === 0);
  day.entries = shuffled(random, [...day.entries, ...doubled]);
  return day;
}

function addRequest(
  day: ContactDay,
  random: Random,
  ids: Ids,
  bucket: number,
  world: KpiWorld,
): string {
  const requestId = ids.next('permissionRequest', bucket);
  const permissionId = ids.next('permission', bucket);
  const lineId = pick(random, world.lines);
  const at = world.from + random.below(70 * HOUR);
  const purpose = pick(random, world.purposes);
  const version = random.below(3);
  const template = pick(random, ['call_permission_request', 'support_callback_request']);
  const request = {
    requestId,
    template,
    ...(version === 0 ? {} : { templateVersion: version }),
    ...attribution(random, world),
  };
  day.purposes.set(requestId, purpose);
  add(day, 'PermissionRequested', at, { lineId, request }, { purpose });
  const soon = (): number => at + random.below(30_000_000);
  const maybe = (type: string, chance: number, data: Record<string, unknown>): void => {
    if (random.below(10) < chance) add(day, type, soon(), { lineId, ...data });
  };
  maybe('PermissionRequestSent', 8, { requestId });
  maybe('PermissionGranted', 5, { permission: { permissionId, requestId } });
  maybe('PermissionDeclined', 2, { requestId, by: 'customer' });
  maybe('PermissionRequestLapsed', 2, { requestId });
  maybe('PermissionRequestFailed', 1, { requestId, code: 'meta_131026' });
  return permissionId;
}

function addCall(
  day: ContactDay,
  random: Random,
  ids: Ids,
  bucket: number,
  world: KpiWorld,
  permissions: readonly string[],
): void {
  const callId = ids.next('call', bucket);
  const lineId = pick(random, world.lines);
  const at = world.from + random.below(70 * HOUR);
  const purpose = random.below(6) === 0 ? '' : pick(random, world.purposes);
  if (purpose !== '') day.purposes.set(callId, purpose);
  const endpointId = pick(random, world.endpoints);
  const asked = { callId, lineId, endpointId, ...attribution(random, world) };
  add(day, 'CallRequested', at, asked, purpose === '' ? undefined : { purpose });
  const soon = (): number => at + random.below(600_000);
  const maybe = (type: string, chance: number, data: Record<string, unknown> = {}): void => {
    if (random.below(10) < chance) add(day, type, soon(), { callId, ...data });
  };
  const permissionId = pick(random, permissions);
  maybe('CallDialing', 9, { permissionId, permissionAgeMs: random.below(900_000) });
  maybe('CallRinging', 7);
  maybe('CallAnswered', 6);
  maybe('EndpointAnswered', 6, random.below(2) === 0 ? {} : { agentId: pick(random, AGENTS) });
  maybe('CallTransferred', 9, random.below(4) > 0 ? {} : { agentId: pick(random, AGENTS) });
  maybe('CallBridged', 6);
  maybe('CallTerminated', 5, { startedAt: random.below(2) === 0 ? null : soon() });
  maybe('CallConnected', 5, { lineId });
  maybe('CallUnanswered', 3, { lineId });
  maybe('SurveyAnswered', 3, { score: 1 + random.below(5) });
  const outcome = pick(random, ['completed', 'no_answer', 'failed', 'rejected', 'canceled']);
  const media = random.below(3) === 0 ? null : { endpoint: { firstPacketInAt: soon() } };
  maybe('CallEnded', 8, { outcome, media });
}

const AGENTS = ['agt_one', 'agt_two'];

function attribution(random: Random, { campaigns }: KpiWorld): { attribution?: object } {
  if (random.below(2) === 0) return {};
  return {
    attribution: {
      ...(random.below(2) === 0 ? {} : { campaignId: pick(random, campaigns) }),
      ...(random.below(2) === 0 ? {} : { journeyId: `jrn_${random.below(2)}` }),
      ...(random.below(2) === 0 ? {} : { experimentId: 'exp_one', arm: pick(random, ['A', 'B']) }),
    },
  };
}

function add(
  day: ContactDay,
  type: string,
  at: number,
  data: Record<string, unknown>,
  personal?: Record<string, unknown>,
): void {
  const actor = 'platform';
  day.entries.push({ type, actor, at, data, ...(personal === undefined ? {} : { personal }) });
}

function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[random.below(from.length)];
  if (found === undefined) throw new TypeError('there is nothing to pick from');
  return found;
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const all = [...items];
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [all[index], all[other]] = [all[other] as T, all[index] as T];
  }
  return all;
}
