import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingOf, type TestAudio } from './test-call.ts';

const HEARD: TestAudio = { codec: 'PCMU', srtp: false, answeredMs: 400, firstAudioMs: 60 };
const SILENT: TestAudio = { ...HEARD, firstAudioMs: null };

const failed = (status: number, reason = ''): string =>
  findingOf({ kind: 'failed', status, reason }).code;

test('what could not be sent is told by its cause', () => {
  assert.equal(failed(503, 'getaddrinfo ENOTFOUND pbx.example'), 'dns');
  assert.equal(failed(503, 'connect ECONNREFUSED 192.0.2.1:5060'), 'connection_refused');
  assert.equal(failed(503, 'self-signed certificate'), 'certificate');
  assert.equal(failed(503, "Hostname/IP does not match certificate's altnames"), 'certificate');
  assert.equal(failed(503, 'connect EHOSTUNREACH'), 'unreachable');
  assert.equal(failed(503, 'Service Unavailable'), 'out_of_order');
});

test('what the PBX says is told in plain words', () => {
  assert.equal(failed(401), 'password');
  assert.equal(failed(407), 'password');
  assert.equal(failed(488), 'codec_refused');
  assert.equal(failed(302), 'redirected');
  assert.equal(failed(480), 'not_there');
  assert.equal(failed(500), 'out_of_order');
  assert.equal(failed(499), 'refused');
});

test('an endpoint that is heard is fine; a slow one is told so', () => {
  assert.equal(findingOf({ kind: 'answered', heard: HEARD, silence: null }).code, 'ok');
  const slow = findingOf({
    kind: 'answered',
    heard: { ...HEARD, answeredMs: 7_000 },
    silence: null,
  });
  assert.deepEqual([slow.ok, slow.code], [true, 'slow']);
});

test('one that hangs up unheard most likely never got our ACK', () => {
  const late = findingOf({ kind: 'hung_up', afterMs: 32_000, heard: SILENT });
  assert.deepEqual([late.ok, late.code], [false, 'ack_late']);
  assert.equal(findingOf({ kind: 'hung_up', afterMs: 900, heard: HEARD }).code, 'hung_up');
});

test('every finding that is not fine says what to do', () => {
  const causes = [
    'wrong_address',
    'wrong_codec',
    'srtp_failed',
    'never_sent',
    'stopped',
    'ack_lost',
    'muted',
  ];
  for (const silence of causes as Array<'muted'>) {
    const finding = findingOf({ kind: 'answered', heard: SILENT, silence });
    assert.equal(finding.ok, false);
    assert.ok(finding.what.endsWith('.') && (finding.fix ?? '').length > 20, silence);
  }
  for (let status = 300; status < 700; status += 1) {
    const finding = findingOf({ kind: 'failed', status, reason: 'Some words' });
    assert.ok(!finding.ok && (finding.fix ?? '').length > 5, String(status));
  }
});
