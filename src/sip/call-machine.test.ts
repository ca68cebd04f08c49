import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALL_INPUTS, CALL_MACHINE, callMove, type CallState } from './call-machine.ts';

const STATES = Object.keys(CALL_MACHINE) as CallState[];

test('every state takes every input: to a state that exists, or not at all', () => {
  for (const state of STATES) {
    for (const input of CALL_INPUTS) {
      const move = callMove(state, input);
      if (move !== undefined) assert.ok(STATES.includes(move.to), `${state} ${input}`);
    }
  }
});

test('the user hears of the end exactly once on every way through the table', () => {
  const reports = new Set(['reportFailed', 'reportEndedByUs', 'reportEndedByEndpoint']);
  const told = new Set<CallState>(['abandoned', 'over']);
  for (const state of STATES) {
    for (const input of CALL_INPUTS) {
      const move = callMove(state, input);
      if (move === undefined) continue;
      const count = move.do.filter((action) => reports.has(action)).length;
      const expected = !told.has(state) && told.has(move.to) ? 1 : 0;
      assert.equal(count, expected, `${state} ${input}`);
    }
  }
});

test('a 2xx is acknowledged in every state it can arrive in', () => {
  for (const state of STATES) {
    if (state === 'resolving') continue;
    assert.equal(callMove(state, 'answered')?.do[0], 'acknowledge', state);
    assert.equal(callMove(state, 'answeredEmpty')?.do[0], 'acknowledge', state);
  }
});

test('hanging up ends every live call, and nothing leaves `over`', () => {
  for (const state of STATES) {
    const ended = state === 'abandoned' || state === 'over';
    assert.equal(callMove(state, 'hangUp') === undefined, ended, state);
  }
  for (const input of CALL_INPUTS) {
    assert.equal(callMove('over', input)?.to ?? 'over', 'over', input);
  }
});
