import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import {
  consentDiagram,
  CONSENT_TRANSITIONS,
  evolve,
  initialConsent,
  publicName,
  type ConsentEvent,
  type ConsentEventType,
  type ConsentPermission,
  type ConsentRequest,
  type ConsentState,
  type ConsentStatus,
} from './consent.ts';

const AT = Date.UTC(2026, 0, 5, 12);
const requestId = 'preq_1' as PermissionRequestId;
const permissionId = 'perm_1' as PermissionId;
const callId = 'call_1' as CallId;

const request: ConsentRequest = {
  requestId,
  purpose: 'your order 1042',
  template: 'call_permission_request',
  language: 'en',
  text: 'May we call you about your order 1042?',
  promisedAt: null,
  packName: 'strict-2026-01',
  requestedAt: AT,
  lapsesAt: AT + 1000,
  messageId: null,
  delivery: 'queued',
};

const permission: ConsentPermission = {
  permissionId,
  requestId,
  purpose: request.purpose,
  promisedAt: null,
  kind: 'temporary',
  source: 'user',
  grantedAt: AT,
  expiresAt: AT + 1000,
  messageId: 'wamid.answer',
};

const { history } = initialConsent;
const STATES: { [S in ConsentStatus]: Extract<ConsentState, { status: S }> } = {
  none: { status: 'none', history: { ...history, earlierRequests: [request] } },
  requested: { status: 'requested', request, history },
  granted: { status: 'granted', request, permission, history },
  used: { status: 'used', request, permission, usedByCallId: callId, usedAt: AT, history },
  declined: { status: 'declined', request, declinedAt: AT, history },
  expired: { status: 'expired', request, permission, history },
  revoked: {
    status: 'revoked',
    request,
    permission,
    usedByCallId: null,
    revokedAt: AT,
    revokedBy: 'customer',
    reason: 'changed mind',
    history,
  },
  lapsed: { status: 'lapsed', request, lapsedAt: AT, history },
};

const EVENTS: { [E in ConsentEventType]: Extract<ConsentEvent, { type: E }> } = {
  PermissionRequested: { type: 'PermissionRequested', at: AT, request },
  PermissionRequestSent: {
    type: 'PermissionRequestSent',
    requestId,
    at: AT,
    messageId: 'wamid.request',
  },
  PermissionRequestDelivered: { type: 'PermissionRequestDelivered', requestId, at: AT },
  PermissionRequestRead: { type: 'PermissionRequestRead', requestId, at: AT },
  PermissionRequestFailed: {
    type: 'PermissionRequestFailed',
    requestId,
    at: AT,
    code: '131026',
    message: 'undeliverable',
    fix: 'check the number',
  },
  PermissionGranted: { type: 'PermissionGranted', at: AT, permission },
  PermissionDeclined: {
    type: 'PermissionDeclined',
    at: AT,
    requestId,
    by: 'customer',
    messageId: 'wamid.no',
  },
  PermissionExpired: { type: 'PermissionExpired', permissionId, at: AT },
  PermissionRequestLapsed: { type: 'PermissionRequestLapsed', requestId, at: AT },
  PermissionRevoked: {
    type: 'PermissionRevoked',
    at: AT,
    permissionId,
    by: 'opt_out',
    reason: 'STOP',
    answer: 'revoke',
    messageId: null,
  },
  PermissionUsed: { type: 'PermissionUsed', permissionId, callId, at: AT },
  PermissionReleased: {
    type: 'PermissionReleased',
    permissionId,
    callId,
    reason: 'Meta refused',
    at: AT,
  },
  PermissionPartlyUsed: { type: 'PermissionPartlyUsed', permissionId, callId, at: AT },
  CallConnected: { type: 'CallConnected', callId, at: AT },
  CallUnanswered: { type: 'CallUnanswered', callId, at: AT },
};

/** Written out by hand: the table is checked against this, not against itself. */
const NEWS = [
  'PermissionRequestSent',
  'PermissionRequestDelivered',
  'PermissionRequestRead',
  'CallConnected',
  'CallUnanswered',
];
const ILLEGAL: { [S in ConsentStatus]: readonly ConsentEventType[] } = {
  none: [
    'PermissionRequestFailed',
    'PermissionExpired',
    'PermissionRequestLapsed',
    'PermissionUsed',
    'PermissionPartlyUsed',
    'PermissionReleased',
  ],
  requested: ['PermissionExpired', 'PermissionUsed', 'PermissionPartlyUsed', 'PermissionReleased'],
  granted: [
    'PermissionRequested',
    'PermissionRequestFailed',
    'PermissionDeclined',
    'PermissionRequestLapsed',
  ],
  used: [
    'PermissionRequestFailed',
    'PermissionDeclined',
    'PermissionExpired',
    'PermissionRequestLapsed',
    'PermissionUsed',
    'PermissionPartlyUsed',
  ],
  declined: [
    'PermissionRequestFailed',
    'PermissionExpired',
    'PermissionRequestLapsed',
    'PermissionUsed',
    'PermissionPartlyUsed',
    'PermissionReleased',
  ],
  expired: [
    'PermissionRequestFailed',
    'PermissionDeclined',
    'PermissionExpired',
    'PermissionRequestLapsed',
    'PermissionUsed',
    'PermissionPartlyUsed',
    'PermissionReleased',
  ],
  revoked: [
    'PermissionRequestFailed',
    'PermissionExpired',
    'PermissionRequestLapsed',
    'PermissionUsed',
    'PermissionPartlyUsed',
    'PermissionReleased',
  ],
  lapsed: [
    'PermissionRequestFailed',
    'PermissionExpired',
    'PermissionRequestLapsed',
    'PermissionUsed',
    'PermissionPartlyUsed',
    'PermissionReleased',
  ],
};

/** Where each event leads from wherever it is legal; news of delivery changes no status. */
const LEADS_TO: Partial<Record<ConsentEventType, ConsentStatus>> = {
  PermissionRequested: 'requested',
  PermissionRequestFailed: 'none',
  PermissionGranted: 'granted',
  PermissionDeclined: 'declined',
  PermissionExpired: 'expired',
  PermissionRequestLapsed: 'lapsed',
  PermissionRevoked: 'revoked',
  PermissionUsed: 'used',
  PermissionPartlyUsed: 'granted',
  PermissionReleased: 'granted',
};

for (const state of Object.values(STATES)) {
  for (const event of Object.values(EVENTS)) {
    const { status } = state;
    if (ILLEGAL[status].includes(event.type)) {
      test(`${status} has no move by ${event.type}`, () => {
        assert.throws(() => evolve(state, event), /no move/);
      });
      continue;
    }
    const to = NEWS.includes(event.type) ? status : LEADS_TO[event.type];
    test(`${status} moves to ${to} by ${event.type}`, () => {
      const after = evolve(state, event);
      assert.equal(after.status, to);
      const moves: Partial<Record<ConsentEventType, ConsentStatus>> = CONSENT_TRANSITIONS[status];
      assert.equal(moves[event.type], to);
      // The state is stored as JSON and must come back as it was.
      assert.deepEqual(JSON.parse(JSON.stringify(after)), after);
    });
  }
}

test('folding an event leaves the state before it untouched', () => {
  for (const state of Object.values(STATES)) {
    const before = JSON.stringify(state);
    for (const event of Object.values(EVENTS)) {
      if (!ILLEGAL[state.status].includes(event.type)) evolve(state, event);
    }
    assert.equal(JSON.stringify(state), before);
  }
});

test('the diagram draws every move that changes something', () => {
  const diagram = consentDiagram();
  assert.match(diagram, /^stateDiagram-v2\n/);
  for (const [from, moves] of Object.entries(CONSENT_TRANSITIONS)) {
    for (const [event, to] of Object.entries(moves)) {
      const drawn = diagram.includes(`  ${from} --> ${to}: ${event}\n`);
      assert.equal(drawn, !NEWS.includes(event), `${from} ${event}`);
    }
  }
});

test('every event of a permission has a public name, and those of calls have none', () => {
  const types = Object.values(EVENTS).map(({ type }) => type);
  const names = types.filter((type) => type.startsWith('Permission')).map(publicName);
  // One call of several, or the last: for a listener the permission was used.
  assert.equal(new Set(names).size, names.length - 1);
  for (const name of names) assert.match(name ?? '', /^permission\.[a-z]+$/);
  assert.equal(publicName('PermissionPartlyUsed'), 'permission.used');
  assert.equal(publicName('CallConnected'), null);
  assert.equal(publicName('CallUnanswered'), null);
});
