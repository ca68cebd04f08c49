import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import {
  decide,
  evolveAll,
  initialConsent,
  type ConsentCommand,
  type ConsentState,
} from './consent.ts';

/** Meta's own request takes the place of the quick-reply message that it follows. */
const requestId = 'preq_1' as PermissionRequestId;
const RULES = {
  grantValidMs: 86_400_000,
  permanentValidMs: 86_400_000,
  callsPerGrant: 1,
  requestLapsesMs: 7 * 86_400_000,
  requestCaps: [],
};

function after(...commands: ConsentCommand[]): ConsentState {
  return commands.reduce<ConsentState>((state, command) => {
    const decided = decide(command, state, { now: 10_000, rules: RULES });
    assert.ok(!isRefused(decided));
    return evolveAll(state, decided.events);
  }, initialConsent);
}

const ASK: ConsentCommand = {
  type: 'RequestPermission',
  requestId,
  purpose: 'your order 1042',
  template: 'call_permission_request_quick_reply',
  templateVersion: 3,
  language: 'en_US',
  text: 'May we?',
  promisedAt: null,
  packName: 'strict-2026-01',
  at: 1_000,
};
const sent = (messageId: string, native: boolean): ConsentCommand => ({
  type: 'RecordRequestSent',
  requestId,
  messageId,
  native,
  at: 2_000,
});
const YES: ConsentCommand = {
  type: 'RecordReply',
  response: 'accept',
  permanent: false,
  metaExpiresAt: null,
  source: 'user',
  contextMessageId: 'wamid.native',
  messageId: 'wamid.reply',
  permissionId: 'perm_1' as PermissionId,
  at: 5_000,
};

test('the answer to the native request is the permission for the purpose that was asked', () => {
  const state = after(ASK, sent('wamid.quick', false), sent('wamid.native', true), YES);
  assert.ok(state.status === 'granted');
  assert.equal(state.permission.purpose, 'your order 1042');
  assert.equal(state.permission.requestId, requestId);
  assert.equal(state.request?.templateVersion, 3);
});

test('late news of the first message do not take the place back', () => {
  const both = [sent('wamid.quick', false), sent('wamid.native', true)];
  const state = after(ASK, ...both, sent('wamid.quick', false), sent('wamid.native', true), YES);
  assert.ok(state.status === 'granted' && state.permission.requestId === requestId);
  assert.equal(state.history.requestsSent, 1);
});
