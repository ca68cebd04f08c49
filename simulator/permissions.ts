import type { SimMessage, SimPermissionRequest } from './control-types.ts';
import { ControlFailure } from './control-failure.ts';
import { GraphError } from './graph-error.ts';
import { waIdOf } from './meta-ids.ts';
import { DAY_MS } from './settings.ts';
import { pairOf, touch, type Line, type Pair, type Person, type Simulation } from './simulation.ts';
import { addToChat } from './chat.ts';
import { seconds, sendInbound } from './webhook-values.ts';

/**
 * Meta's permission between one business number and one person (user call permissions page,
 * June 2026): temporary for seven days or permanent, asked for at most once a day and twice a
 * week, taken away after four unanswered calls in a row.
 */
export function permissionNow(sim: Simulation, pair: Pair): Pair['permission'] {
  const { expiresAt } = pair.permission;
  // Expiry sends no webhook: whoever does not keep the time themselves finds out here.
  if (expiresAt !== null && expiresAt <= sim.clock.now()) {
    pair.permission = { status: 'no_permission', expiresAt: null };
  }
  return pair.permission;
}

/** Refuses a permission request that Meta would refuse at once. */
export function checkRequestAllowed(sim: Simulation, line: Line, person: Person): void {
  const pair = pairOf(line, person);
  if (line.restrictedUntil !== null && line.restrictedUntil > sim.clock.now()) {
    throw new GraphError(138014, 'Calling is paused for this number because of low quality.');
  }
  if (permissionNow(sim, pair).status === 'permanent') {
    throw new GraphError(138017, 'The user has already given a permanent call permission.');
  }
  const spent = requestLimits(sim, pair).find((limit) => limit.current_usage >= limit.max_allowed);
  if (spent !== undefined) {
    throw new GraphError(
      138009,
      `At most ${spent.max_allowed} call permission request(s) per user in ${spent.time_period}.`,
    );
  }
}

type Limit = {
  time_period: string;
  max_allowed: number;
  current_usage: number;
  limit_expiration_time?: number;
};

/** Body of GET call_permissions. `limit_expiration_time` only stands where a limit is reached. */
export function permissionsBody(
  sim: Simulation,
  line: Line,
  person: Person,
): Record<string, unknown> {
  const pair = pairOf(line, person);
  const permission = permissionNow(sim, pair);
  const restricted = line.restrictedUntil !== null && line.restrictedUntil > sim.clock.now();
  const requests = requestLimits(sim, pair);
  const calls = callLimits(sim, pair);
  const free = (limits: readonly Limit[]): boolean =>
    limits.every((limit) => limit.current_usage < limit.max_allowed);
  return {
    messaging_product: 'whatsapp',
    permission: {
      status: permission.status,
      ...(permission.expiresAt === null
        ? {}
        : { expiration_time: Math.floor(permission.expiresAt / 1000) }),
    },
    actions: [
      {
        action_name: 'send_call_permission_request',
        can_perform_action: !restricted && permission.status !== 'permanent' && free(requests),
        limits: requests,
      },
      {
        action_name: 'start_call',
        can_perform_action: !restricted && permission.status !== 'no_permission' && free(calls),
        limits: calls,
      },
    ],
  };
}

/** When the next call may be placed, once 100 calls were picked up in 24 h; else undefined. */
export function callLimitReachedUntil(sim: Simulation, pair: Pair): number | undefined {
  return callLimits(sim, pair)[0]?.limit_expiration_time;
}

/** The person answers a request; `messageId` picks one, else the newest that is still open. */
export function answerRequest(
  sim: Simulation,
  person: Person,
  answer: 'allow' | 'allow_always' | 'not_now',
  messageId: string | undefined,
): void {
  const { line, message, request, pair } = openRequest(sim, person, messageId);
  const now = sim.clock.now();
  for (const [id, older] of pair.requests) {
    // A newer request that was acted on closes the ones before it.
    if (id === message.id) break;
    if (older.state === 'open') older.state = 'lapsed';
    older.openUntil = new Date(now).toISOString();
  }
  request.answeredAt = new Date(now).toISOString();
  request.openUntil = new Date(now + sim.settings.requestOpenMs).toISOString();
  request.state = { allow: 'allowed', allow_always: 'allowed_always', not_now: 'declined' }[
    answer
  ] as SimPermissionRequest['state'];
  message.status = 'read';
  setPermission(sim, line, person, answer, 'user_action', message.id);
}

/** The person changes the permission in the business profile: a reply without context. */
export function setInProfile(
  sim: Simulation,
  line: Line,
  person: Person,
  answer: 'allow_always' | 'not_now',
): void {
  setPermission(sim, line, person, answer, 'user_action', undefined);
}

/** Callback permission: the person called the business, so the business may call back. */
export function grantForCallback(sim: Simulation, line: Line, person: Person, wacid: string): void {
  if (line.calling.callback_permission_status !== 'ENABLED') return;
  if (permissionNow(sim, pairOf(line, person)).status === 'permanent') return;
  setPermission(sim, line, person, 'allow', 'automatic', wacid);
}

/** Counts a call nobody picked up: 2 in a row get a notice, 4 in a row lose the permission. */
export function countUnanswered(sim: Simulation, line: Line, person: Person): void {
  const pair = pairOf(line, person);
  pair.unansweredInARow += 1;
  const { unansweredUntilNotice, unansweredUntilRevoked } = sim.settings;
  if (pair.unansweredInARow === unansweredUntilNotice) {
    const text =
      `You missed several calls from ${line.businessName}. ` +
      'You can choose in its profile whether it may call you.';
    addToChat(sim, person, { line, from: 'whatsapp', kind: 'system', text });
  }
  if (pair.unansweredInARow >= unansweredUntilRevoked) {
    pair.unansweredInARow = 0;
    if (permissionNow(sim, pair).status === 'no_permission') return;
    setPermission(sim, line, person, 'not_now', 'automatic', undefined);
  }
}

/** A connected call, in either direction, clears the streak and the request counters. */
export function countConnected(sim: Simulation, line: Line, person: Person): void {
  const pair = pairOf(line, person);
  pair.unansweredInARow = 0;
  pair.requestsAt = [];
  pair.connectedAt.push(sim.clock.now());
  pair.windowUntil = sim.clock.now() + sim.settings.windowMs;
}

function setPermission(
  sim: Simulation,
  line: Line,
  person: Person,
  answer: 'allow' | 'allow_always' | 'not_now',
  source: 'user_action' | 'automatic',
  contextId: string | undefined,
): void {
  const pair = pairOf(line, person);
  const expiresAt =
    answer === 'allow' ? sim.clock.now() + sim.settings.temporaryPermissionMs : null;
  const status = {
    allow: 'temporary',
    allow_always: 'permanent',
    not_now: 'no_permission',
  } as const;
  pair.permission = { status: status[answer], expiresAt };
  if (answer !== 'not_now') pair.unansweredInARow = 0;
  if (source === 'user_action') pair.windowUntil = sim.clock.now() + sim.settings.windowMs;
  const asInteger = sim.settings.expirationTimestampAs === 'integer';
  const expiry = expiresAt === null ? undefined : seconds(expiresAt);
  const id = sendInbound(sim, line, person, 'call_permission_reply', {
    type: 'interactive',
    ...(contextId === undefined ? {} : { context: { from: waIdOf(line.number), id: contextId } }),
    interactive: {
      type: 'call_permission_reply',
      call_permission_reply: {
        response: answer === 'not_now' ? 'reject' : 'accept',
        ...(answer === 'not_now' ? {} : { is_permanent: answer === 'allow_always' }),
        ...(expiry === undefined
          ? {}
          : { expiration_timestamp: asInteger ? Number(expiry) : expiry }),
        response_source: source,
      },
    },
  });
  addToChat(sim, person, {
    line,
    id,
    from: source === 'automatic' ? 'whatsapp' : 'person',
    kind: 'permission_reply',
    text: REPLY_TEXT[answer],
    replyTo: contextId ?? null,
  });
  touch(sim, person);
}

const REPLY_TEXT = {
  allow: 'Calls are allowed for now.',
  allow_always: 'Calls are always allowed.',
  not_now: 'Calls are not allowed.',
};

function openRequest(
  sim: Simulation,
  person: Person,
  messageId: string | undefined,
): { line: Line; message: SimMessage; request: SimPermissionRequest; pair: Pair } {
  const now = sim.clock.now();
  const message = person.messages.findLast(
    (each) =>
      each.request !== null &&
      (messageId === undefined ? each.request.state === 'open' : each.id === messageId),
  );
  const line = message === undefined ? undefined : sim.lines.get(message.phoneNumberId);
  const request = message?.request ?? null;
  if (message === undefined || request === null || line === undefined) {
    throw new ControlFailure(
      409,
      'no_open_request',
      'This person has no permission request to answer.',
      'Send a permission request first, or name one by messageId.',
    );
  }
  if (Date.parse(request.openUntil) <= now) {
    throw new ControlFailure(
      409,
      'request_lapsed',
      'This permission request can no longer be answered.',
      'Send a new permission request.',
    );
  }
  return { line, message, request, pair: pairOf(line, person) };
}

function requestLimits(sim: Simulation, pair: Pair): Limit[] {
  const { requestsPerDay, requestsPerWeek } = sim.settings;
  pair.requestsAt = pair.requestsAt.filter((at) => at > sim.clock.now() - 7 * DAY_MS);
  return [
    limit(sim, pair.requestsAt, 'PT24H', DAY_MS, requestsPerDay),
    limit(sim, pair.requestsAt, 'P7D', 7 * DAY_MS, requestsPerWeek),
  ];
}

function callLimits(sim: Simulation, pair: Pair): Limit[] {
  pair.connectedAt = pair.connectedAt.filter((at) => at > sim.clock.now() - DAY_MS);
  return [limit(sim, pair.connectedAt, 'PT24H', DAY_MS, sim.settings.connectedCallsPerDay)];
}

function limit(
  sim: Simulation,
  times: readonly number[],
  period: string,
  periodMs: number,
  max: number,
): Limit {
  const used = times.filter((at) => at > sim.clock.now() - periodMs);
  const freedBy = used[used.length - max];
  return {
    time_period: period,
    max_allowed: max,
    current_usage: used.length,
    ...(freedBy === undefined || used.length < max
      ? {}
      : { limit_expiration_time: Math.floor((freedBy + periodMs) / 1000) }),
  };
}
