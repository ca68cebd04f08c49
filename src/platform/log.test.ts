import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeLog, maskLine, maskNumber } from './log.ts';

const MASKED: Array<[string, string, string]> = [
  ['E.164', '"to":"+447700900123"', '"to":"***********23"'],
  ['no plus', '"wa_id":"447700900123"', '"wa_id":"**********23"'],
  ['seven digits', 'to 2901234.', 'to *****34.'],
  ['fifteen digits', '"123456789012345"', '"*************45"'],
  ['a SIP URI', 'sip:+447700900123@127.0.0.1', 'sip:***********23@127.0.0.1'],
  ['a tel URI', 'tel:447700900123;x', 'tel:**********23;x'],
  ['the end of a sentence', 'no contact +447700900123.', 'no contact ***********23.'],
  ['SQL detail', 'Key (e164)=(+447700900123) already', 'Key (e164)=(***********23) already'],
  ['escaped JSON', '{\\"to\\":\\"447700900123\\"}', '{\\"to\\":\\"**********23\\"}'],
  ['spaces and brackets', '"+44 (0)7700 900-123"', '"************23"'],
  ['a number on a new line', 'x\\n447700900123', 'x\\n**********23'],
  ['a JSON number', '{"n":447700900123}', '{"n":"**********23"}'],
  ['a wamid', '"wamid.HBgMNDQ3NzAwOTAwMTIzFQIAEQA="', '"wamid.…AEQA="'],
  ['an API key', 'af_test_Abcdefgh_1234-xyz', 'af_test_[removed]'],
  ['a bearer', 'Authorization: Bearer sim-token', 'Authorization: Bearer [removed]'],
  ['a Meta token', 'EAAGm0PX4ZCpsBAKZCZBexample1', 'EAA[removed]'],
  ['a webhook secret', 'whsec_MfKQ9r8GKYqrTwjU+/=', 'whsec_[removed]'],
  ['a token in a URL', '?access_token=abc&x=1', '?access_token=[removed]&x=1'],
  ['a password in a URL', 'postgres://u:pass@host/db', 'postgres://u:[removed]@host/db'],
  ['ICE', 'v=0\\r\\na=ice-pwd:abc/def\\r\\nx', 'v=0\\r\\na=[removed]\\r\\nx'],
  ['SDES', 'a=crypto:1 AES_CM inline:abc|2^20\\r\\n', 'a=[removed]\\r\\n'],
];
for (const [what, line, masked] of MASKED) {
  test(`the log masks ${what}`, () => {
    assert.equal(maskLine(line), masked);
  });
}

const KEPT = [
  '{"level":30,"time":1764000000000,"pid":123456}',
  '{"at":1764000000,"bytes":12345678}',
  '"call_01234567-1234-7123-8123-123456789012"',
  '{"seconds":0.1234567890123,"ms":1234567.25}',
  '"2026-06-03T12:00:00.000Z"',
  '"127.0.0.1:40000"',
  '"sha256 12345678901234567890"',
];
for (const line of KEPT) {
  test(`the log keeps ${line}`, () => {
    assert.equal(maskLine(line), line);
  });
}

test('a masked line is still JSON, and its secrets are gone', () => {
  const lines: string[] = [];
  const log = makeLog({ level: 'trace', destination: { write: (line) => lines.push(line) } });
  const error = Object.assign(new Error('no row for +447700900123'), {
    detail: 'Key (number)=(447700900123) exists.',
  });
  log.error({ err: error, token: 't-secret', deep: { password: 'p-secret' }, n: 447700900123 });
  const [line = ''] = lines;
  assert.doesNotMatch(line, /7700900123|t-secret|p-secret/);
  assert.equal((JSON.parse(line) as { n: string }).n, '**********23');
});

test('two customers can be told apart by their last two digits', () => {
  assert.equal(maskNumber('+447700900123'), '***********23');
});
