import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { EndpointId } from '../platform/ids.ts';
import { decideRoute, isOpen, type RouteConditions, type RouteFacts } from './routing.ts';

const DESK = 'end_desk' as EndpointId;
const REST = 'end_rest' as EndpointId;
/** Monday 2026-11-23, 10:00 in Berlin. */
const MONDAY = Date.parse('2026-11-23T09:00:00Z');
const FACTS: RouteFacts = { purpose: 'Your order 1042', language: null, country: null, at: MONDAY };

const routed = (when: RouteConditions, facts: Partial<RouteFacts> = {}) => {
  const routing = { rules: [{ name: 'desk', when, endpointId: DESK }], defaultEndpointId: REST };
  return decideRoute(routing, { ...FACTS, ...facts });
};
const matches = (when: RouteConditions, facts: Partial<RouteFacts> = {}): boolean =>
  routed(when, facts).rule === 'desk';

test('the first rule that holds wins, and says why; those before it say why not', () => {
  const routing = {
    rules: [
      { name: 'spanish', when: { languages: ['es'] }, endpointId: DESK },
      { name: 'orders', when: { purposes: ['your order *'] }, endpointId: DESK },
      { name: 'late', when: {}, endpointId: REST },
    ],
    defaultEndpointId: null,
  };
  assert.deepEqual(decideRoute(routing, { ...FACTS, language: 'de' }), {
    endpointId: DESK,
    rule: 'orders',
    verdicts: [
      { rule: 'spanish', matched: false, why: 'the language is de, not es' },
      { rule: 'orders', matched: true, why: 'the purpose fits' },
    ],
  });
});

test('without a match the default takes the call', () => {
  const { endpointId, rule } = routed({ countries: ['BR'] }, { country: 'DE' });
  assert.deepEqual({ endpointId, rule }, { endpointId: REST, rule: null });
});

test('purposes take a star for anything', () => {
  for (const [pattern, fits] of [
    ['your order 1042', true],
    ['your order', false],
    ['your*', true],
    ['*1042', true],
    ['*order*', true],
    ['y*o*1042', true],
    ['*', true],
    ['y*1042*2', false],
    ['order*', false],
  ] as const) {
    assert.equal(matches({ purposes: [pattern] }), fits, pattern);
  }
});

test('a language holds for its dialects, a country for itself, the unknown for none', () => {
  assert.ok(matches({ languages: ['es'] }, { language: 'es_MX' }));
  assert.ok(matches({ languages: ['pt-BR', 'es'] }, { language: 'PT_br' }));
  assert.ok(!matches({ languages: ['es'] }, { language: 'est' }));
  assert.ok(!matches({ languages: ['es'] }));
  assert.ok(matches({ countries: ['DE', 'AT'] }, { country: 'AT' }));
  assert.ok(!matches({ countries: ['DE'] }));
});

test('business hours go by the clocks on the wall, in summer and in winter', () => {
  const hours = { zone: 'Europe/Berlin', open: [{ days: [1, 2], from: '09:00', to: '17:00' }] };
  const at = (text: string): boolean => isOpen(hours, Date.parse(text));
  assert.ok(at('2026-11-23T08:00:00Z'), 'Monday 09:00 in winter');
  assert.ok(!at('2026-11-23T07:59:59Z'));
  assert.ok(!at('2026-11-23T16:00:00Z'), '17:00 is closed');
  assert.ok(at('2026-07-06T07:00:00Z'), 'Monday 09:00 in summer');
  assert.ok(!at('2026-11-25T10:00:00Z'), 'a Wednesday');
});

test('hours may go over midnight, and a zone without data is closed', () => {
  const open = [{ days: [5], from: '22:00', to: '02:00' }];
  assert.ok(isOpen({ zone: 'UTC', open }, Date.parse('2026-11-27T23:00:00Z')));
  assert.ok(isOpen({ zone: 'UTC', open }, Date.parse('2026-11-28T01:59:00Z')));
  assert.ok(!isOpen({ zone: 'UTC', open }, Date.parse('2026-11-27T01:00:00Z')));
  assert.ok(!isOpen({ zone: 'Mars/Base', open }, Date.parse('2026-11-27T23:00:00Z')));
});

test('a star pattern agrees with a regular expression', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
  const words = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  fc.assert(
    fc.property(letters, words, (pattern, purpose) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(purpose);
      assert.equal(matches({ purposes: [pattern] }, { purpose }), expected);
    }),
    { seed: 42, numRuns: 3_000 },
  );
});
