import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseNameAddress, parseSipUri, quote, splitOutside, unquote } from './uri.ts';

test('SIP URIs come apart into their pieces', () => {
  const uri = parseSipUri('sip:100;x@pbx.example.com:5070;transport=TCP;lr?a=b');
  assert.equal(uri?.user, '100;x');
  assert.equal(uri.host, 'pbx.example.com');
  assert.equal(uri.port, 5070);
  assert.deepEqual(
    [...uri.parameters],
    [
      ['transport', 'TCP'],
      ['lr', ''],
    ],
  );
  assert.equal(uri.headers, 'a=b');
  assert.deepEqual(parseSipUri('SIPS:[2001:db8::1]:5061')?.host, '[2001:db8::1]');
});

test('what is no SIP URI is refused', () => {
  const wrong = [
    '',
    'sip:',
    'sip:@host',
    'tel:+49',
    'sip:a@b:0',
    'sip:a@b:70000',
    'sip:a@b:x',
    'sip:a b@c',
    'sip:a@b c',
    'sip:a@b;',
    '<sip:a@b>',
    'sip:a@b\r\nX: y',
    'sip:a@-"',
    'http://a',
    'sip:ü@b',
  ];
  for (const text of wrong) assert.equal(parseSipUri(text), undefined, text);
});

test('name-addr and addr-spec, quoted names with brackets and commas', () => {
  const address = parseNameAddress('"Bell, <A> \\"x\\"" <sip:a@b;lr>;tag=1;q');
  assert.deepEqual(address?.displayName, 'Bell, <A> "x"');
  assert.equal(address?.uri, 'sip:a@b;lr');
  assert.equal(address?.parameters.get('tag'), '1');
  assert.equal(parseNameAddress('sip:a@b;tag=2')?.parameters.get('tag'), '2');
  for (const wrong of ['', '"a <sip:a@b>', '<sip:a@b', 'sip:a@b?x', '"a" b <sip:a@b>', '<>']) {
    assert.equal(parseNameAddress(wrong), undefined, wrong);
  }
});

test('any text survives quoting, except for its control characters', () => {
  const property = fc.property(fc.string(), (text) => {
    const quoted = quote(text);
    // eslint-disable-next-line no-control-regex -- control characters are what it looks for
    assert.equal(unquote(quoted), text.replace(/[\u0000-\u001f\u007f]/g, ' '));
    assert.deepEqual(splitOutside(`${quoted},x`, ','), [quoted, 'x']);
  });
  fc.assert(property, { numRuns: 2000, seed: 25 });
});
