import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallView } from '../../../src/http/api-types.ts';
import { callChip, talkMs, verdict } from './call-words.ts';

const call: CallView = {
  id: 'call_1',
  contactId: 'cont_1',
  lineId: 'line_1',
  endpointId: 'end_1',
  permissionId: 'perm_1',
  purpose: 'your recent order',
  strategy: 'on_answer',
  status: 'ringing',
  outcome: null,
  endReason: null,
  endedBy: null,
  clientReference: null,
  requestedAt: '2026-01-05T12:00:00.000Z',
  initiatedAt: null,
  ringingAt: null,
  answeredAt: null,
  bridgedAt: null,
  endedAt: null,
};

test('a live call says what is happening now', () => {
  assert.equal(verdict(call, 'Ada'), 'The phone of Ada is ringing.');
  assert.deepEqual(callChip(call), { label: 'Ringing', tone: 'accent' });
  assert.equal(talkMs(call, 0), null);
});

test('a customer who hears music is not said to be talking', () => {
  const bridged: CallView = {
    ...call,
    status: 'bridged',
    holds: [{ by: 'business', from: '2026-01-05T12:00:06.000Z', to: null }],
    transfers: [],
  };
  assert.equal(verdict(bridged, 'Ada'), 'Ada is on hold.');
  const transfer = {
    mode: 'blind',
    by: 'business',
    fromEndpointId: 'end_1',
    toEndpointId: 'end_2',
    startedAt: '2026-01-05T12:00:06.000Z',
    endedAt: null,
    outcome: null,
    answered: false,
  } as const;
  assert.equal(
    verdict({ ...bridged, transfers: [transfer] }, 'Ada'),
    'Ada hears music while another endpoint is called.',
  );
  assert.equal(
    verdict({ ...bridged, holds: [], transfers: [] }, 'Ada'),
    'Ada and the endpoint are talking.',
  );
});

test('a finished talk says how long it was and who hung up', () => {
  const ended: CallView = {
    ...call,
    status: 'ended',
    outcome: 'completed',
    endedBy: 'customer',
    answeredAt: '2026-01-05T12:00:04.000Z',
    bridgedAt: '2026-01-05T12:00:05.000Z',
    endedAt: '2026-01-05T12:01:10.400Z',
  };
  assert.equal(verdict(ended, 'Ada'), 'Ada talked for 1:05. Ada hung up.');
});

test('a call that was not placed says why, in words', () => {
  const blocked: CallView = {
    ...call,
    status: 'ended',
    outcome: 'blocked',
    endReason: 'permission_used',
  };
  assert.equal(verdict(blocked, 'Ada'), 'Ada was not called: permission used.');
});
