import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_DRAFT, paceDraftOf, paceOf, variableNames, wishOf } from './campaign-draft.ts';
import { EMPTY_QUERY } from './query-draft.ts';
import { peopleText, roughly, variablesOf } from './campaign-words.ts';

test('the variables that texts use are found, without those that every text may use', () => {
  assert.deepEqual(
    variablesOf(['{{contactName}}, order {{order}}', '{{ order }} {{shop}} {{X}}']),
    ['order', 'shop'],
  );
});

test('a draft becomes the request that the server takes', () => {
  const draft = { ...FIRST_DRAFT, name: 'Late ', whom: 'imp_1', purpose: 'your order {{order}}' };
  const names = variableNames(draft, null);
  assert.deepEqual(names, ['order']);
  const filled = { ...draft, variables: { order: { column: 'order' } } };
  assert.deepEqual(wishOf(filled, names, 'line_1'), {
    name: 'Late',
    lineId: 'line_1',
    audience: { importId: 'imp_1' },
    ask: {
      template: 'call_permission_request',
      purpose: 'your order {{order}}',
      waitFor: '24h',
    },
    variables: { order: { column: 'order' } },
    startsPerMinute: 600,
  });
  const query = {
    ...EMPTY_QUERY,
    permission: 'declined',
    notReachedDays: '30',
    columnName: 'plan',
  };
  const narrowed = wishOf({ ...draft, query, experimentId: 'exp_1' }, [], null);
  assert.deepEqual(narrowed.audience, {
    importId: 'imp_1',
    permission: 'declined',
    notReachedDays: 30,
  });
  assert.equal(narrowed.experimentId, 'exp_1');
  const hours = wishOf({ ...draft, from: '09:00', until: '17:00' }, [], null).window;
  assert.deepEqual(hours?.days, [1, 2, 3, 4, 5]);
});

test('times and people are said roughly', () => {
  assert.deepEqual([30, 600, 9_000, 400_000].map(roughly), ['30 s', '10 min', '3 h', '5 days']);
  assert.deepEqual([peopleText(1), peopleText(12_000)], ['1 person', '12,000 people']);
});

test('a pace that is changed keeps the days and the zone, and an empty field is no limit', () => {
  const window = { days: [6, 7], from: '10:00', until: '12:00', timeZone: 'Asia/Kolkata' };
  const typed = { ...FIRST_DRAFT, from: '11:00', until: '12:00', callsPerSecond: '0.5' };
  assert.deepEqual(paceOf(typed, window), {
    startsPerMinute: 600,
    window: { ...window, from: '11:00' },
    priority: null,
    callsPerSecond: 0.5,
    concurrentCalls: null,
    endAt: null,
  });
  const limits = { priority: 9, callsPerSecond: null, concurrentCalls: 4 };
  const stored = { ...limits, startsPerMinute: 60, window, endAt: '2026-06-03T12:00:00.000Z' };
  assert.deepEqual(paceOf(paceDraftOf(stored), window), stored);
});
