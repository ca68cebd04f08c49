import assert from 'node:assert/strict';
import test from 'node:test';
import { META_ERRORS, TRANSPORT_ERRORS, UNKNOWN_ERROR, metaErrorRow } from './errors.ts';
import { failureFromResponse, verdictOfMetaError } from './failure-from-response.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const DIAL = { repeatable: false, now: NOW };
const READ = { repeatable: true, now: NOW };

function body(code: number | string, details?: string): string {
  return JSON.stringify({
    error: {
      message: `(#${code}) text of Meta`,
      type: 'OAuthException',
      code,
      fbtrace_id: 'Atrace',
      ...(details === undefined ? {} : { error_data: { messaging_product: 'whatsapp', details } }),
    },
  });
}

test('every code of the calling catalogue has a row', () => {
  const documented = [
    100, 613, 131009, 131030, 131044, 131055, 138000, 138001, 138002, 138003, 138004, 138005,
    138006, 138007, 138009, 138011, 138012, 138013, 138014, 138015, 138017, 138018, 138019, 138020,
    138021, 138022, 138023, 190, 10, 200, 250, 299, 4, 80007, 130429, 131056, 131026, 131047,
    131049, 131000, 131016, 132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 131062,
    130497,
  ];
  for (const code of documented) assert.ok(metaErrorRow(code), `code ${code}`);
});

test('no code is claimed by two rows, and every row says what to do', () => {
  const codes = META_ERRORS.flatMap((row) => row.metaCodes);
  assert.equal(new Set(codes).size, codes.length);
  for (const row of [...META_ERRORS, UNKNOWN_ERROR, ...Object.values(TRANSPORT_ERRORS)]) {
    assert.match(row.code, /^meta_[a-z_]+$/);
    assert.match(row.message, /\.$/);
    assert.match(row.fix, /\.$/);
  }
});

test('every code becomes its own failure, whatever the HTTP status says', () => {
  for (const row of META_ERRORS) {
    for (const metaCode of row.metaCodes) {
      for (const status of [200, 400, 401, 429, 500]) {
        const failure = failureFromResponse(status, body(metaCode), {}, DIAL);
        assert.equal(failure.code, row.code);
        assert.equal(failure.verdict, row.verdict);
        assert.equal(failure.side, row.side);
        assert.equal(failure.metaCode, metaCode);
        assert.equal(failure.traceId, 'Atrace');
        assert.ok(failure.fix.length > 10);
      }
    }
  }
});

test('a 401 with 138006 is a missing permission and not a bad token', () => {
  assert.equal(failureFromResponse(401, body(138006), {}, DIAL).code, 'meta_permission_missing');
  assert.equal(failureFromResponse(401, body(138000), {}, DIAL).code, 'meta_calling_disabled');
  assert.equal(failureFromResponse(401, body(190), {}, DIAL).code, 'meta_token_invalid');
});

test('the details of Meta are part of the message', () => {
  const failure = failureFromResponse(400, body(100, 'No fingerprint found in SDP'), {}, DIAL);
  assert.match(failure.message, /No fingerprint found in SDP/);
});

test('an offer with the keys of the other exchange is named, any other wrong offer is not', () => {
  const codeOf = (details: string): string =>
    failureFromResponse(400, body(100, details), {}, DIAL).code;
  assert.equal(codeOf('No fingerprint found in SDP'), 'meta_key_exchange_mismatch');
  assert.equal(
    codeOf('SDP Validation error: No crypto found in SDP'),
    'meta_key_exchange_mismatch',
  );
  assert.equal(codeOf('SDP Validation error: No rtcp-mux found in SDP'), 'meta_parameter_invalid');
  assert.equal(codeOf('The crypto of this template'), 'meta_parameter_invalid');
});

test('a code written as a string is read', () => {
  assert.equal(failureFromResponse(400, body('138001'), {}, DIAL).metaCode, 138001);
});

test('an undocumented code is terminal as 400 and retryable as 500', () => {
  const refused = failureFromResponse(400, body(999_999), {}, DIAL);
  assert.deepEqual([refused.code, refused.verdict], ['meta_error_unknown', 'terminal']);
  assert.equal(failureFromResponse(500, body(999_999), {}, DIAL).verdict, 'retryable');
});

test('Retry-After is read as seconds and as a date', () => {
  const seconds = failureFromResponse(429, body(138005), { 'retry-after': '7' }, DIAL);
  assert.equal(seconds.retryAfterMs, 7000);
  const date = new Date(NOW + 60_000).toUTCString();
  const dated = failureFromResponse(429, '', { 'retry-after': date }, DIAL);
  assert.deepEqual([dated.code, dated.retryAfterMs], ['meta_rate_limited', 60_000]);
  assert.equal(failureFromResponse(429, '', { 'retry-after': 'soon' }, DIAL).retryAfterMs, null);
});

test('the next allowed time of 138012 is found in its details', () => {
  const iso = failureFromResponse(400, body(138012, 'Next at 2026-01-05T13:00:00Z.'), {}, DIAL);
  assert.equal(iso.retryAfterMs, 3_600_000);
  const epoch = NOW / 1000 + 90;
  const seconds = failureFromResponse(400, body(138012, `allowed after ${epoch}`), {}, DIAL);
  assert.equal(seconds.retryAfterMs, 90_000);
});

test('an answer without a code leaves a dial open, and a read retryable', () => {
  for (const [status, text] of [
    [200, ''],
    [200, '<html>ok</html>'],
    [200, '{}'],
    [200, 'null'],
    [200, '{"error":"text"}'],
    [302, ''],
    [408, ''],
    [500, '<html>Sorry</html>'],
    [502, ''],
    [503, '{"error":{"message":"no code"}}'],
    [504, 'upstream timeout'],
  ] as const) {
    const dial = failureFromResponse(status, text, {}, DIAL);
    assert.deepEqual(
      [dial.code, dial.verdict, dial.side],
      ['meta_outcome_unknown', 'terminal', 'indeterminate'],
      `${status} ${text}`,
    );
    const read = failureFromResponse(status, text, {}, READ);
    assert.deepEqual([read.code, read.verdict], ['meta_answer_invalid', 'retryable']);
  }
});

test('a 4xx page without a code was refused before anything happened', () => {
  const failure = failureFromResponse(404, '<html>Not found</html>', {}, DIAL);
  assert.deepEqual([failure.code, failure.side], ['meta_request_refused', 'upstream']);
});

test('an error inside a webhook has the verdict of the same table', () => {
  assert.equal(verdictOfMetaError(138021).code, 'meta_no_media_from_business');
  assert.equal(verdictOfMetaError(424_242).code, 'meta_error_unknown');
});
