import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import * as fc from 'fast-check';
import {
  CONNECT,
  TERMINATE,
  callStatus,
  delivery,
  permissionReply,
  value,
} from './webhook-fixtures.ts';
import { laneKey, parseWebhook } from './webhook-parse.ts';

const SUITE = new URL('../../../shared/corpora/json-parsing/', import.meta.url);
const SEED = 20_260_105;

test('entries, changes and items are all lists', () => {
  const change = (items: object): object => ({ field: 'calls', value: value(items) });
  const body = {
    entry: [
      { id: '1', changes: [change({ calls: [CONNECT, TERMINATE] })] },
      { id: '2', changes: [change({ statuses: [callStatus('RINGING')] }), change({})] },
    ],
  };
  const facts = parseWebhook(Buffer.from(JSON.stringify(body)));
  assert.deepEqual(
    facts.map((fact) => fact.kind),
    ['callConnect', 'callTerminate', 'callStatus', 'unknown'],
  );
});

test('an odd item does not hide its neighbours', () => {
  const odd = [null, 7, 'text', [], {}, { id: {} }, CONNECT, { id: 'x', event: 5 }];
  const kinds = parseWebhook(delivery('calls', value({ calls: odd }))).map((fact) => fact.kind);
  assert.equal(kinds.length, odd.length);
  assert.equal(kinds.filter((kind) => kind === 'callConnect').length, 1);
});

test('a batch of a thousand changes is read in order', () => {
  const entry = [
    {
      id: '1',
      changes: Array.from({ length: 1000 }, (_, index) => ({
        field: 'calls',
        value: value({ calls: [{ ...CONNECT, id: `wacid.${index}` }] }),
      })),
    },
  ];
  const facts = parseWebhook(Buffer.from(JSON.stringify({ entry })));
  assert.equal(facts.length, 1000);
  assert.equal(facts[999]?.key, 'call:wacid.999:connect');
});

test('a body of countless items ends in one fact that says so', () => {
  const body = delivery('calls', value({ calls: Array.from({ length: 20_000 }, () => 0) }));
  const facts = parseWebhook(body);
  assert.ok(facts.length <= 10_002);
  assert.ok(facts.some((fact) => fact.kind === 'unknown' && fact.field === 'too_many_items'));
});

test('the same body gives the same keys, and different facts different keys', () => {
  const items = { calls: [CONNECT, TERMINATE], statuses: [callStatus('RINGING')] };
  const body = delivery('calls', value(items));
  const keys = parseWebhook(body).map((fact) => fact.key);
  assert.deepEqual(
    parseWebhook(body).map((fact) => fact.key),
    keys,
  );
  assert.equal(new Set(keys).size, 3);
});

test('everything about one person on one line shares a lane', () => {
  const bodies = [
    delivery('calls', value({ calls: [CONNECT] })),
    delivery('calls', value({ statuses: [callStatus('ACCEPTED')], contacts: undefined })),
    delivery('messages', value({ messages: [permissionReply({ response: 'reject' })] })),
  ];
  const lanes = bodies.flatMap((body) => parseWebhook(body).map(laneKey));
  assert.equal(new Set(lanes).size, 1);
});

test('a missing time is replaced by the time of receipt', () => {
  const { timestamp: _timestamp, ...timeless } = CONNECT;
  for (const timestamp of [undefined, null, '', 'soon', -5, 1e300, {}, '99999999999999999999']) {
    const call = { ...timeless, timestamp };
    assert.equal(parseWebhook(delivery('calls', value({ calls: [call] })), 42)[0]?.at, 42);
  }
});

test('a time in milliseconds is not taken for seconds', () => {
  const call = { ...CONNECT, timestamp: 1_767_614_400_000 };
  assert.equal(parseWebhook(delivery('calls', value({ calls: [call] })))[0]?.at, 1_767_614_400_000);
});

test(
  'every file of the JSON test suite gives facts and never an error',
  { skip: existsSync(SUITE) ? false : 'the JSON test suite is not beside this checkout' },
  () => {
    const names = readdirSync(SUITE).filter((name) => name.endsWith('.json'));
    assert.ok(names.length > 250);
    for (const name of names) {
      const bytes = readFileSync(new URL(encodeURIComponent(name), SUITE));
      assert.ok(parseWebhook(bytes).length > 0, name);
      const wrapped = Buffer.concat([
        Buffer.from('{"entry":[{"id":"1","changes":[{"field":"calls","value":'),
        bytes,
        Buffer.from('}]}]}'),
      ]);
      assert.ok(parseWebhook(wrapped).length > 0, name);
    }
  },
);

test('no bytes make the parser throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const fact of parseWebhook(Buffer.from(bytes))) laneKey(fact);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('no JSON in any place makes the parser throw', () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const field = fc.constantFrom(
    'calls',
    'messages',
    'account_update',
    'message_template_status_update',
    'account_settings_update',
    '__proto__',
  );
  fc.assert(
    fc.property(field, json, json, json, (name, junk, a, b) => {
      const bodies = [
        delivery(name, junk),
        delivery(name, value({ calls: junk, statuses: a, messages: b, errors: a })),
        delivery(name, value({ calls: [{ ...CONNECT, session: junk, timestamp: a, to: b }] })),
        delivery(name, value({ messages: [permissionReply(junk as object)], contacts: a })),
        Buffer.from(JSON.stringify({ entry: junk })),
      ];
      for (const body of bodies) {
        for (const fact of parseWebhook(body)) {
          assert.ok(Number.isFinite(fact.at));
          laneKey(fact);
        }
      }
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('a flipped byte in a real body never makes the parser throw', () => {
  const body = delivery('calls', value({ calls: [CONNECT], statuses: [callStatus('RINGING')] }));
  fc.assert(
    fc.property(fc.nat({ max: body.length - 1 }), fc.nat({ max: 255 }), (index, byte) => {
      const changed = Buffer.from(body);
      changed[index] = byte;
      assert.ok(parseWebhook(changed).length > 0);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});
