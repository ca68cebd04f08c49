import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isRefused } from '../platform/refusal.ts';
import { guardNamedByPeer, guardTarget, isHostEntry, OPEN_GUARD } from './target-guard.ts';

const codeOf = (uri: string, allowed: readonly string[] | null = null): string => {
  const settings = { ...OPEN_GUARD, allowedHosts: allowed === null ? [] : [allowed] };
  const answer = guardTarget(uri, settings);
  return isRefused(answer) ? answer.refused.code : 'allowed';
};

const NOT_VOIP = [
  'tel:+4930123456',
  'TEL:+4930123456',
  'callto:12345',
  'mailto:a@b.example',
  '+4930123456',
  'sip:+4930123456@carrier.example',
  'sip:%2B4930123456@carrier.example',
  'sip:+49(30)123-456@carrier.example',
  'sip:004930123456@carrier.example',
  'sip:4930123456;phone-context=+49@carrier.example',
  'sip:desk;tgrp=trunk;trunk-context=x@carrier.example',
  'sip:desk@pbx.example;user=phone',
  'sip:desk@pbx.example;USER=Phone',
  'sip:desk@pbx.example;maddr=192.0.2.1',
  'sip:desk@pbx.example;method=REFER',
  'sip:desk@pbx.example?to=tel:+4930123456',
  'sip:%zz@pbx.example',
  'sip:desk@pbx.example\r\nRoute: <tel:+4930123456>',
  '',
];

for (const uri of NOT_VOIP) {
  test(`${JSON.stringify(uri)} leads out of VoIP, and the answer says what to write`, () => {
    const answer = guardTarget(uri, OPEN_GUARD);
    assert.ok(isRefused(answer));
    assert.equal(answer.refused.code, 'target_not_voip');
    assert.ok(answer.refused.fix.length > 20);
    assert.equal(typeof answer.refused.evidence?.['rule'], 'string');
  });
}

for (const uri of [
  'sip:reception@pbx.example',
  'sip:1001@pbx.example:5062;transport=tcp',
  'sip:2000100@pbx.example',
  'sips:queue-1@[2001:db8::5]:5061',
  'sip:1002@10.0.0.5:5060;ob;line=abc',
  'sip:+12@pbx.example',
]) {
  test(`${uri} is VoIP`, () => assert.equal(codeOf(uri), 'allowed'));
}

test('an account without prefixes may name its desks by numbers', () => {
  const answer = guardTarget('sip:+4930123456@pbx.example', { allowedHosts: [], pstnPrefixes: [] });
  assert.ok(!isRefused(answer));
});

test('a list of hosts knows names, names below, addresses, networks and ports', () => {
  const cases: Array<[string, string, boolean]> = [
    ['pbx.example', 'sip:a@pbx.example', true],
    ['PBX.example', 'sip:a@pbx.EXAMPLE:5070', true],
    ['pbx.example', 'sip:a@evil-pbx.example', false],
    ['*.pbx.example', 'sip:a@west.pbx.example', true],
    ['*.pbx.example', 'sip:a@pbx.example', false],
    ['192.0.2.0/24', 'sip:a@192.0.2.77', true],
    ['192.0.2.0/24', 'sip:a@192.0.3.77', false],
    ['192.0.2.0/24', 'sip:a@192.0.2.77.evil.example', false],
    ['[2001:db8::/32]', 'sip:a@[2001:db8:1::9]', true],
    ['[2001:db8::/32]', 'sip:a@[2001:db9::9]', false],
    ['pbx.example:5061', 'sip:a@pbx.example:5061', true],
    ['pbx.example:5061', 'sip:a@pbx.example', false],
  ];
  for (const [entry, uri, allowed] of cases) {
    assert.equal(isHostEntry(entry), true, entry);
    const expected = allowed ? 'allowed' : 'target_not_allowed';
    assert.equal(codeOf(uri, [entry]), expected, `${entry} ${uri}`);
  }
});

test('every list must allow the host, and an empty one allows none', () => {
  const both = { ...OPEN_GUARD, allowedHosts: [['a.example', 'b.example'], ['b.example']] };
  assert.ok(isRefused(guardTarget('sip:x@a.example', both)));
  assert.ok(!isRefused(guardTarget('sip:x@b.example', both)));
  assert.equal(codeOf('sip:x@a.example', []), 'target_not_allowed');
});

test('entries that nobody can read are named and allow nothing', () => {
  for (const entry of ['', '*', 'a b', '300.0.0.0/40', '*.192.0.2.1', '[abc]', 'a/24', 'x:y']) {
    assert.ok(!isHostEntry(entry), entry);
    assert.equal(codeOf('sip:x@a.example', [entry]), 'target_not_allowed');
  }
});

test('without a list, the other side may name only hosts of our own endpoints', () => {
  const own = ['sip:desk@pbx.example:5070', 'sip:desk@10.0.0.5'];
  assert.ok(!isRefused(guardNamedByPeer('sip:1002@pbx.example', OPEN_GUARD, own)));
  assert.ok(isRefused(guardNamedByPeer('sip:1002@elsewhere.example', OPEN_GUARD, own)));
  const listed = { ...OPEN_GUARD, allowedHosts: [['elsewhere.example']] };
  assert.ok(!isRefused(guardNamedByPeer('sip:1002@elsewhere.example', listed, own)));
});

test('no text throws, and nothing but sip passes', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 80 }),
      fc.constantFrom('', 'sip:', 'sips:a@'),
      (text, head) => {
        const answer = guardTarget(`${head}${text}`, OPEN_GUARD);
        if (!isRefused(answer)) assert.match(answer.scheme, /^sips?$/);
      },
    ),
    { seed: 41, numRuns: 5_000 },
  );
});
