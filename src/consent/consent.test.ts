import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import {
  callRefusal,
  decide,
  evolveAll,
  initialConsent,
  isLive,
  permissionOf,
  requestOf,
  wakesAt,
  type ConsentCommand,
  type ConsentRules,
  type ConsentState,
} from './consent.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5, 12);
const rules: ConsentRules = {
  grantValidMs: DAY,
  permanentValidMs: DAY,
  callsPerGrant: 1,
  requestCaps: [{ requestsMax: 3, windowMs: 30 * DAY, resetBy: 'yes' }],
  requestLapsesMs: 7 * DAY,
};

type Step = [atMs: number, command: ConsentCommand];

/** Plays commands at their times; none of them may be refused. */
function given(...steps: Step[]): ConsentState {
  return steps.reduce((state, [at, command]) => {
    const decided = decide(command, state, { now: START + at, rules });
    assert.ok(!isRefused(decided), `${command.type} was refused`);
    return evolveAll(state, decided.events);
  }, initialConsent);
}

/** The types of the events that a command gives, or the code of its refusal. */
function when(state: ConsentState, at: number, command: ConsentCommand): string[] | string {
  const decided = decide(command, state, { now: START + at, rules });
  return isRefused(decided) ? decided.refused.code : decided.events.map((event) => event.type);
}

function ask(at: number, name = '1', purpose = 'your order 1042'): Step {
  return [
    at,
    {
      type: 'RequestPermission',
      requestId: `preq_${name}` as PermissionRequestId,
      purpose,
      template: 'call_permission_request',
      language: 'en',
      text: `May we call you about ${purpose}?`,
      promisedAt: null,
      packName: 'strict-2026-01',
      at: START + at,
    },
  ];
}

function sent(at: number, name = '1'): Step {
  const requestId = `preq_${name}` as PermissionRequestId;
  const messageId = `wamid.${name}`;
  return [at, { type: 'RecordRequestSent', requestId, messageId, at: START + at }];
}

function reply(
  at: number,
  response: 'accept' | 'reject',
  more: Partial<Extract<ConsentCommand, { type: 'RecordReply' }>> = {},
): Step {
  const tapped = more.at ?? START + at;
  return [
    at,
    {
      type: 'RecordReply',
      response,
      permanent: false,
      metaExpiresAt: null,
      source: 'user',
      contextMessageId: 'wamid.1',
      messageId: `wamid.reply.${tapped - START}`,
      permissionId: `perm_${tapped - START}` as PermissionId,
      ...more,
      at: tapped,
    },
  ];
}

function consume(at: number, permission: string, call = '1'): Step {
  const permissionId = `perm_${permission}` as PermissionId;
  return [at, { type: 'Consume', callId: `call_${call}` as CallId, permissionId }];
}

function release(at: number, call = '1'): Step {
  return [at, { type: 'Release', callId: `call_${call}` as CallId, reason: 'Meta refused' }];
}

function revoke(at: number, by: 'opt_out' | 'operator' | 'api' | 'meta' | 'customer'): Step {
  return [at, { type: 'Revoke', by, reason: 'because', at: START + at }];
}

test('asked, sent, delivered, read, allowed, called: the main story', () => {
  const requestId = 'preq_1' as PermissionRequestId;
  const state = given(
    ask(0),
    sent(1),
    [2, { type: 'RecordRequestDelivered', requestId, at: START + 2 }],
    [3, { type: 'RecordRequestRead', requestId, at: START + 3 }],
    reply(5000, 'accept'),
  );
  assert.equal(state.status, 'granted');
  assert.deepEqual(permissionOf(state), {
    permissionId: 'perm_5000',
    requestId,
    purpose: 'your order 1042',
    promisedAt: null,
    kind: 'temporary',
    source: 'user',
    grantedAt: START + 5000,
    expiresAt: START + 5000 + DAY,
    messageId: 'wamid.reply.5000',
  });
  assert.equal(requestOf(state)?.delivery, 'read');
  assert.deepEqual(state.history.requestsWithoutYes, []);
  assert.equal(state.history.requestsSent, 1);
  assert.deepEqual(when(state, 6000, consume(0, '5000')[1]), ['PermissionUsed']);
});

test('one permission serves one call', () => {
  const state = given(ask(0), sent(1), reply(5000, 'accept'), consume(6000, '5000'));
  assert.equal(when(state, 7000, consume(0, '5000', '2')[1]), 'permission_used');
  // The same call again is a repeated command, not a second call.
  assert.deepEqual(when(state, 7000, consume(0, '5000', '1')[1]), []);
  assert.equal(callRefusal(state, START + 7000)?.code, 'permission_used');
});

test('a permission ends at its exact moment: 24 hours after the tap, give or take 1 ms', () => {
  const state = given(ask(0), sent(1), reply(5000, 'accept'));
  const end = 5000 + DAY;
  for (const [at, live] of [
    [end - 1, true],
    [end, false],
    [end + 1, false],
  ] as const) {
    assert.equal(isLive(state, START + at), live);
    const consumed = when(state, at, consume(0, '5000')[1]);
    assert.deepEqual(consumed, live ? ['PermissionUsed'] : 'permission_expired');
    assert.deepEqual(when(state, at, { type: 'Expire' }), live ? [] : ['PermissionExpired']);
  }
  assert.equal(wakesAt(state), START + end);
  const expired = given(ask(0), sent(1), reply(5000, 'accept'), [end, { type: 'Expire' }]);
  assert.equal(expired.status, 'expired');
  assert.equal(wakesAt(expired), null);
  assert.deepEqual(when(expired, end + 1, { type: 'Expire' }), []);
  assert.equal(when(expired, end + 1, consume(0, '5000')[1]), 'permission_expired');
});

test('the 24 hours run from the tap, not from the request and not from its arrival', () => {
  const tapped = { at: START + 5000 };
  const state = given(ask(0), sent(1), reply(3 * HOUR, 'accept', tapped));
  assert.equal(permissionOf(state)?.expiresAt, START + 5000 + DAY);
});

test("Meta's own earlier end wins, a later or missing one does not", () => {
  const end = (metaExpiresAt: number | null, permanent = false): number | undefined =>
    permissionOf(given(ask(0), sent(1), reply(5000, 'accept', { metaExpiresAt, permanent })))
      ?.expiresAt;
  assert.equal(end(START + HOUR), START + HOUR);
  assert.equal(end(START + 7 * DAY), START + 5000 + DAY);
  assert.equal(end(null, true), START + 5000 + DAY);
});

test('a tap in the future counts from now', () => {
  const state = given(ask(0), sent(1), reply(5000, 'accept', { at: START + HOUR }));
  assert.equal(permissionOf(state)?.grantedAt, START + 5000);
});

test('a yes that arrives after its 24 hours is recorded and at once expired', () => {
  const late = reply(2 * DAY, 'accept', { at: START + 5000 });
  assert.deepEqual(when(given(ask(0), sent(1)), 2 * DAY, late[1]), [
    'PermissionGranted',
    'PermissionExpired',
  ]);
});

test('while a permission is live nobody is asked again; from its end on they may be', () => {
  const state = given(ask(0), sent(1), reply(5000, 'accept'));
  const end = 5000 + DAY;
  const again = (at: number): string[] | string => when(state, at, ask(at, '2')[1]);
  assert.equal(again(end - 1), 'permission_live');
  assert.deepEqual(again(end), ['PermissionExpired', 'PermissionRequested']);
});

test('the fourth request without a yes waits until the oldest is 30 days old', () => {
  const state = given(ask(0, 'a'), ask(DAY, 'b'), ask(2 * DAY, 'c'));
  const fourth = (at: number): string[] | string => when(state, at, ask(at, 'd')[1]);
  assert.equal(fourth(3 * DAY), 'request_limit_reached');
  assert.equal(fourth(30 * DAY - 1), 'request_limit_reached');
  assert.deepEqual(fourth(30 * DAY), ['PermissionRequestLapsed', 'PermissionRequested']);
  const decided = decide(ask(3 * DAY, 'd')[1], state, { now: START + 3 * DAY, rules });
  assert.ok(isRefused(decided));
  assert.equal(decided.refused.allowedAt, START + 30 * DAY);
});

test('a yes clears the count of requests, a no does not', () => {
  const no = given(ask(0, '1'), sent(1), reply(5000, 'reject'));
  assert.equal(no.history.requestsWithoutYes.length, 1);
  const yes = given(ask(0, '1'), sent(1), reply(5000, 'accept'));
  assert.equal(yes.history.requestsWithoutYes.length, 0);
  assert.equal(yes.history.requestsSent, 1);
});

test('a request that failed never reached the customer and does not count', () => {
  const requestId = 'preq_1' as PermissionRequestId;
  const error = { code: '132015', message: 'paused', fix: 'use another template' };
  const failed: ConsentCommand = { type: 'RecordRequestFailed', requestId, at: START, ...error };
  const state = given(ask(0), [1, failed]);
  assert.equal(state.status, 'none');
  assert.equal(state.history.requestsSent, 0);
  assert.deepEqual(state.history.requestsWithoutYes, []);
  assert.deepEqual(when(state, 2, failed), []);
  assert.deepEqual(when(state, 2, sent(2)[1]), []);
  // A message that was delivered has not failed, whatever is said later.
  const delivered = given(ask(0), sent(1), [
    2,
    { type: 'RecordRequestDelivered', requestId, at: START + 2 },
  ]);
  assert.deepEqual(when(delivered, 3, failed), []);
});

test('an ignored request lapses after seven days, and a late yes still counts', () => {
  const state = given(ask(0), sent(1));
  assert.equal(wakesAt(state), START + 7 * DAY);
  assert.deepEqual(when(state, 7 * DAY - 1, { type: 'Lapse' }), []);
  assert.deepEqual(when(state, 7 * DAY, { type: 'Lapse' }), ['PermissionRequestLapsed']);
  const lapsed = given(ask(0), sent(1), [7 * DAY, { type: 'Lapse' }]);
  assert.equal(callRefusal(lapsed, START + 7 * DAY)?.code, 'permission_missing');
  assert.deepEqual(when(lapsed, 8 * DAY, reply(8 * DAY, 'accept')[1]), ['PermissionGranted']);
});

test('the customer may change the answer: the later tap by Meta’s time wins', () => {
  const noThenYes = given(ask(0), sent(1), reply(5000, 'reject'), reply(6000, 'accept'));
  assert.equal(noThenYes.status, 'granted');
  const yesThenNo = given(ask(0), sent(1), reply(5000, 'accept'), reply(6000, 'reject'));
  assert.equal(yesThenNo.status, 'revoked');
  assert.equal(when(yesThenNo, 7000, consume(0, '5000')[1]), 'permission_revoked');
});

test('at one and the same second a no beats a yes', () => {
  const tie = { at: START + 5000 };
  for (const order of [
    ['accept', 'reject'],
    ['reject', 'accept'],
  ] as const) {
    const replies = order.map((response) =>
      reply(6000, response, { ...tie, messageId: `wamid.${response}` }),
    );
    assert.equal(given(ask(0), sent(1), ...replies).status, 'revoked');
  }
});

test('a yes that was tapped before an opt-out does not grant, however late it arrives', () => {
  const optedOut = given(ask(0), sent(1), revoke(9000, 'opt_out'));
  const late = reply(10_000, 'accept', { at: START + 5000 });
  const decided = decide(late[1], optedOut, { now: START + 10_000, rules });
  assert.ok(!isRefused(decided));
  const state = evolveAll(optedOut, decided.events);
  assert.equal(state.status, 'revoked');
  assert.equal(state.status === 'revoked' && state.revokedBy, 'opt_out');
  // The customer's own later act opens the way again.
  assert.deepEqual(when(state, 20_000, reply(20_000, 'accept')[1]), ['PermissionGranted']);
});

test('an opt-out is remembered even where nothing was granted or asked', () => {
  const state = given(revoke(9000, 'opt_out'));
  assert.equal(state.status, 'revoked');
  assert.equal(permissionOf(state), null);
  assert.deepEqual(when(state, 9500, reply(9500, 'accept', { at: START + 5000 })[1]), [
    'PermissionGranted',
    'PermissionRevoked',
  ]);
});

test('an operator revokes what is there, and is told when there is nothing', () => {
  const granted = given(ask(0), sent(1), reply(5000, 'accept'));
  assert.deepEqual(when(granted, 6000, revoke(6000, 'operator')[1]), ['PermissionRevoked']);
  assert.equal(when(initialConsent, 6000, revoke(6000, 'api')[1]), 'permission_missing');
  const revoked = given(ask(0), sent(1), reply(5000, 'accept'), revoke(6000, 'operator'));
  assert.deepEqual(when(revoked, 7000, revoke(7000, 'operator')[1]), []);
});

test('a no after the call is on record, and the permission never comes back', () => {
  const used = [ask(0), sent(1), reply(5000, 'accept'), consume(6000, '5000')] as const;
  const state = given(...used, reply(7000, 'reject'));
  assert.equal(state.status, 'revoked');
  assert.equal(state.status === 'revoked' && state.usedByCallId, 'call_1');
  assert.deepEqual(when(state, 8000, release(8000)[1]), []);
});

test('a call that Meta refused gives the permission back while it lasts', () => {
  const used = [ask(0), sent(1), reply(5000, 'accept'), consume(6000, '5000')] as const;
  const state = given(...used);
  assert.deepEqual(when(state, 7000, release(7000, '2')[1]), []);
  assert.deepEqual(when(state, 7000, release(7000)[1]), ['PermissionReleased']);
  assert.deepEqual(when(state, 5000 + DAY, release(5000 + DAY)[1]), [
    'PermissionReleased',
    'PermissionExpired',
  ]);
  const back = given(...used, release(7000));
  assert.deepEqual(when(back, 8000, consume(8000, '5000', '2')[1]), ['PermissionUsed']);
  assert.deepEqual(when(back, 8000, release(8000)[1]), []);
});

test('a second tap from before the call opens no second call', () => {
  const used = [ask(0), sent(1), reply(5000, 'accept'), consume(9000, '5000')] as const;
  const twice = reply(9500, 'accept', { at: START + 7000 });
  assert.deepEqual(when(given(...used), 9500, twice[1]), []);
  assert.deepEqual(when(given(...used), 9500, reply(9500, 'accept')[1]), ['PermissionGranted']);
});

test('doubled webhooks change nothing', () => {
  const steps = [ask(0), sent(1), reply(5000, 'accept')] as const;
  const state = given(...steps);
  for (const [, command] of steps) assert.deepEqual(when(state, 6000, command), []);
  const requestId = 'preq_1' as PermissionRequestId;
  const read = given(ask(0), [1, { type: 'RecordRequestRead', requestId, at: START + 1 }]);
  const delivered: ConsentCommand = { type: 'RecordRequestDelivered', requestId, at: START };
  assert.deepEqual(when(read, 2, delivered), []);
  // The message id may be learned after "read": our POST can return last.
  assert.deepEqual(when(read, 2, sent(2)[1]), ['PermissionRequestSent']);
  assert.equal(requestOf(given(ask(0), [1, delivered], sent(2)))?.delivery, 'delivered');
});

test('a yes to an older request counts, with the purpose of that request', () => {
  const two = [ask(0, '1', 'your order'), sent(1, '1'), ask(DAY, '2', 'your bill')] as const;
  const state = given(...two, sent(DAY + 1, '2'), reply(DAY + HOUR, 'accept'));
  assert.equal(permissionOf(state)?.purpose, 'your order');
  assert.equal(permissionOf(state)?.requestId, 'preq_1');
});

test('the message id of an older request may be learned after a newer one was made', () => {
  const asked = [ask(0, '1', 'your order'), ask(DAY, '2', 'your bill')] as const;
  const both = given(...asked, sent(DAY + 1, '1'), reply(DAY + HOUR, 'accept'));
  assert.equal(permissionOf(both)?.purpose, 'your order');
  // With neither known, nobody guesses which one was meant.
  const neither = given(...asked, reply(DAY + HOUR, 'accept'));
  assert.equal(permissionOf(neither)?.purpose, null);
});

test('an answer may overtake our own POST', () => {
  const state = given(ask(0), reply(500, 'accept'), sent(900));
  assert.equal(permissionOf(state)?.purpose, 'your order 1042');
  assert.equal(requestOf(state)?.messageId, 'wamid.1');
});

test('a yes from the business profile or by a call back carries no purpose', () => {
  const profile = given(reply(0, 'accept', { contextMessageId: null, permanent: true }));
  assert.equal(permissionOf(profile)?.purpose, null);
  assert.equal(permissionOf(profile)?.kind, 'permanent');
  const back = { contextMessageId: 'wacid.7', source: 'automatic' } as const;
  const callback = given(ask(0), reply(5000, 'accept', back));
  assert.equal(permissionOf(callback)?.purpose, null);
  assert.equal(permissionOf(callback)?.source, 'automatic');
});

test('a revocation by Meta itself says so', () => {
  const automatic = { source: 'automatic', contextMessageId: null } as const;
  const state = given(ask(0), sent(1), reply(5000, 'accept'), reply(6000, 'reject', automatic));
  assert.equal(state.status === 'revoked' && state.revokedBy, 'meta');
});

test('every refusal of a call names what to do', () => {
  const states: Array<[ConsentState, string]> = [
    [initialConsent, 'permission_missing'],
    [given(ask(0)), 'permission_pending'],
    [given(ask(0), reply(1, 'reject')), 'permission_declined'],
    [given(ask(0), reply(1, 'accept'), revoke(2, 'meta')), 'permission_revoked'],
    [given(ask(0), reply(1, 'accept'), consume(2, '1')), 'permission_used'],
  ];
  for (const [state, code] of states) {
    const refusal = callRefusal(state, START + 10);
    assert.equal(refusal?.code, code);
    assert.ok((refusal?.fix ?? '').length > 20);
    assert.equal(when(state, 10, consume(10, 'other', '9')[1]), code);
  }
  const granted = given(ask(0), reply(1, 'accept'));
  assert.equal(when(granted, 10, consume(10, 'other')[1]), 'permission_missing');
});
