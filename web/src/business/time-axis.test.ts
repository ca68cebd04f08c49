import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallView } from '../../../src/http/api-types.ts';
import { historyOf } from './history.ts';
import { laneOf, timeAxis } from './time-axis.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 5, 12, 0, second)).toISOString();

const call: CallView = {
  id: 'call_1',
  contactId: 'cont_1',
  lineId: 'line_1',
  endpointId: 'end_1',
  permissionId: 'perm_1',
  purpose: 'your recent order',
  strategy: 'on_answer',
  status: 'ended',
  outcome: 'completed',
  endReason: null,
  endedBy: 'customer',
  clientReference: null,
  requestedAt: at(0),
  initiatedAt: at(1),
  ringingAt: at(2),
  answeredAt: at(5),
  bridgedAt: at(5),
  endedAt: at(10),
};

function history(...facts: Array<[type: string, second: number]>) {
  const entries = facts.map(([type, second], i) => {
    return { sequence: i + 1, type, actor: 'platform', at: at(second), data: {} };
  });
  return historyOf(entries, []);
}

test('marks and stretches share one axis from the request to the end', () => {
  const axis = timeAxis(call, history(['PermissionUsed', 0], ['CallEnded', 10]), 0);
  assert.equal(axis.lengthMs, 10_000);
  assert.deepEqual(axis.lanes, ['consent', 'call']);
  assert.deepEqual(
    axis.marks.map((mark) => mark.share),
    [0, 1],
  );
  assert.deepEqual(axis.stretches, [
    { phase: 'dialling', from: 0, to: 0.2 },
    { phase: 'ringing', from: 0.2, to: 0.5 },
    { phase: 'talking', from: 0.5, to: 1 },
  ]);
});

test('the axis of a live call grows with the time of day', () => {
  const live: CallView = { ...call, status: 'ringing', answeredAt: null, endedAt: null };
  const axis = timeAxis(live, [], Date.parse(at(8)));
  assert.equal(axis.lengthMs, 8_000);
  assert.deepEqual(axis.stretches.at(-1), { phase: 'ringing', from: 0.25, to: 1 });
});

test('what happened before the request stands at the start of the axis', () => {
  const axis = timeAxis(call, history(['PermissionGranted', -3]), 0);
  assert.equal(axis.marks[0]?.share, 0);
});

test('each step lies in the lane of whoever had the say', () => {
  assert.equal(laneOf({ type: 'PermissionGranted' }), 'consent');
  assert.equal(laneOf({ type: 'CallRinging' }), 'whatsapp');
  assert.equal(laneOf({ type: 'EndpointInvited' }), 'endpoint');
  assert.equal(laneOf({ type: 'CallMediaConnected' }), 'media');
  assert.equal(laneOf({ type: 'call.ended' }), 'events');
  assert.equal(laneOf({ type: 'CallQueued' }), 'call');
});
