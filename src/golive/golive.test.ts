import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECK_IDS, checklist, type CheckId, type GoLiveFacts, type Told } from './golive.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR_MS = 3_600_000;

/** A line at Meta with nothing left to do, except what only a person can confirm. */
const GOOD: GoLiveFacts = {
  now: NOW,
  line: {
    displayNumber: '+442079460000',
    phoneNumberId: '100000000000001',
    policyPack: 'strict-2026-01',
    graphBaseUrl: 'https://graph.facebook.com',
    keyExchange: 'dtls',
  },
  phoneNumber: told({ displayPhoneNumber: '+44 20 7946 0000', qualityRating: 'GREEN' }),
  settings: told({ enabled: true, sipEnabled: false, keyExchange: 'dtls', restrictions: [] }),
  subscribedApps: told(['300000000000001']),
  templates: told(
    ['call_permission_request', 'appointment_callback_request', 'support_callback_request'].map(
      (name) => ({ name, language: 'en_US', status: 'APPROVED' }),
    ),
  ),
  gate: new Map(),
  webhook: { lineAgeMs: 4_000, anyAgeMs: 4_000 },
  endpoint: { name: 'PBX', uri: 'sip:queue@pbx.example:5060' },
  probe: { kind: 'answered', status: 200 },
  clockSkewMs: 300,
  publicUrl: 'https://calls.example',
  mediaAddress: '203.0.113.7',
  sipAddress: '203.0.113.7',
  advertisedAddress: null,
  roles: ['api', 'worker', 'gateway'],
  dataDir: '/var/lib/askfirst',
};

function told<T>(value: T): Told<T> {
  return { ok: true, value };
}

function untold(code: string, isFinal: boolean): Told<never> {
  return { ok: false, code, message: `It said ${code}.`, fix: 'Do this.', isFinal };
}

function stateOf(facts: GoLiveFacts, id: CheckId): string | undefined {
  return checklist(facts).checks.find((check) => check.id === id)?.state;
}

/** One row: which check turns to which state when these facts change, and whether it stops us. */
const ROWS: ReadonlyArray<
  [what: string, change: Partial<GoLiveFacts>, id: CheckId, state: string, ready: boolean]
> = [
  [
    'another number',
    { phoneNumber: told({ displayPhoneNumber: '+44 20 7946 0001' }) },
    'number',
    'failed',
    false,
  ],
  [
    'a red rating',
    { phoneNumber: told({ displayPhoneNumber: '442079460000', qualityRating: 'RED' }) },
    'quality',
    'warning',
    true,
  ],
  [
    'calling off',
    {
      settings: told({ enabled: false, sipEnabled: false, keyExchange: 'dtls', restrictions: [] }),
    },
    'calling_enabled',
    'failed',
    false,
  ],
  [
    'SIP on',
    { settings: told({ enabled: true, sipEnabled: true, keyExchange: 'dtls', restrictions: [] }) },
    'sip_off',
    'failed',
    false,
  ],
  [
    'a restriction in force',
    {
      settings: told({
        enabled: true,
        sipEnabled: false,
        keyExchange: 'dtls',
        restrictions: [{ type: 'RESTRICTED_BUSINESS_INITIATED_CALLING', expiresAt: NOW + HOUR_MS }],
      }),
    },
    'restrictions',
    'failed',
    false,
  ],
  [
    'a restriction that is over',
    {
      settings: told({
        enabled: true,
        sipEnabled: false,
        keyExchange: 'dtls',
        restrictions: [{ type: 'RESTRICTED_BUSINESS_INITIATED_CALLING', expiresAt: NOW - HOUR_MS }],
      }),
    },
    'restrictions',
    'ok',
    true,
  ],
  [
    'a restriction of calls by customers',
    {
      settings: told({
        enabled: true,
        sipEnabled: false,
        keyExchange: 'dtls',
        restrictions: [{ type: 'RESTRICTED_USER_INITIATED_CALLING', expiresAt: null }],
      }),
    },
    'restrictions',
    'ok',
    true,
  ],
  [
    'a restriction stored from a webhook',
    { gate: new Map([['line_not_restricted', { message: 'Restricted.', fix: 'Wait.' }]]) },
    'restrictions',
    'failed',
    false,
  ],
  [
    'a blocked country',
    { gate: new Map([['business_country', { message: 'Not from there.', fix: 'Other.' }]]) },
    'country',
    'failed',
    false,
  ],
  [
    'a line switched off',
    { gate: new Map([['line_enabled', { message: 'Off.', fix: 'On.' }]]) },
    'line_enabled',
    'failed',
    false,
  ],
  ['no subscribed app', { subscribedApps: told([]) }, 'app_subscribed', 'failed', false],
  ['no template', { templates: told([]) }, 'template_approved', 'failed', false],
  [
    'only another template',
    {
      templates: told([
        { name: 'support_callback_request', language: 'en_US', status: 'approved' },
        { name: 'call_permission_request', language: 'en_US', status: 'PENDING' },
      ]),
    },
    'template_approved',
    'warning',
    true,
  ],
  [
    'no webhook',
    { webhook: { lineAgeMs: null, anyAgeMs: null } },
    'webhook_received',
    'failed',
    false,
  ],
  [
    'webhooks of other lines only',
    { webhook: { lineAgeMs: null, anyAgeMs: 10 } },
    'webhook_received',
    'failed',
    false,
  ],
  [
    'an old webhook',
    { webhook: { lineAgeMs: 30 * HOUR_MS, anyAgeMs: 10 } },
    'webhook_received',
    'warning',
    true,
  ],
  ['no public URL', { publicUrl: null }, 'webhook_url', 'warning', true],
  ['a URL without TLS', { publicUrl: 'http://calls.example' }, 'webhook_url', 'warning', true],
  ['no endpoint', { endpoint: null }, 'endpoint', 'failed', false],
  ['SIP on loopback', { sipAddress: '127.0.0.1' }, 'endpoint_reachable', 'failed', true],
  ['an endpoint that answers', {}, 'endpoint_reachable', 'ok', true],
  [
    'an endpoint that says nothing',
    { probe: { kind: 'silent', waitedMs: 3_000 } },
    'endpoint_reachable',
    'unknown',
    true,
  ],
  [
    'an endpoint that is not there',
    { probe: { kind: 'refused', reason: 'connect ECONNREFUSED' } },
    'endpoint_reachable',
    'failed',
    true,
  ],
  ['media on loopback', { mediaAddress: '127.0.0.1' }, 'media_address', 'failed', false],
  ['media on every address', { mediaAddress: '0.0.0.0' }, 'media_address', 'failed', false],
  [
    'media on every address, one advertised',
    { mediaAddress: '0.0.0.0', advertisedAddress: '203.0.113.7' },
    'media_address',
    'ok',
    true,
  ],
  ['media on a private address', { mediaAddress: '10.0.0.7' }, 'media_address', 'warning', true],
  [
    'everything private',
    { mediaAddress: '10.0.0.7', endpoint: { name: 'PBX', uri: 'sip:q@172.16.0.2' } },
    'media_address',
    'ok',
    true,
  ],
  ['a role elsewhere', { roles: ['api'] }, 'roles', 'warning', true],
  ['a slow clock', { clockSkewMs: -90_000 }, 'clock', 'warning', true],
  ['no date from Meta', { clockSkewMs: null }, 'clock', 'unknown', true],
];

for (const [what, change, id, state, ready] of ROWS) {
  test(`${what}: the check ${id} is ${state}`, () => {
    const facts = { ...GOOD, ...change };
    assert.equal(stateOf(facts, id), state);
    assert.equal(checklist(facts).ready, ready);
  });
}

test('a line with nothing left to do is ready, and every check is there in its order', () => {
  const { live, ready, checks } = checklist(GOOD);
  assert.deepEqual([live, ready], [true, true]);
  assert.deepEqual(
    checks.map(({ id }) => id),
    CHECK_IDS,
  );
  for (const check of checks) {
    assert.ok(check.detail.length > 0 && check.title.length > 0);
    assert.equal(check.fix === null, check.state === 'ok', `${check.id} and its fix`);
  }
});

test('only the host graph.facebook.com counts as live, and no check looks at it', () => {
  const graphBaseUrl = 'https://graph.facebook.com.example';
  const other = checklist({ ...GOOD, line: { ...GOOD.line, graphBaseUrl } });
  assert.equal(other.live, false);
  assert.deepEqual(other.checks, checklist(GOOD).checks);
});

test('a refused token fails once, and makes what it hides unknown', () => {
  const refused = untold('meta_token_invalid', true);
  const facts = {
    ...GOOD,
    phoneNumber: refused,
    settings: refused,
    subscribedApps: refused,
    templates: refused,
  };
  assert.equal(stateOf(facts, 'token'), 'failed');
  for (const id of ['number', 'calling_enabled', 'app_subscribed', 'template_approved'] as const) {
    assert.equal(stateOf(facts, id), 'unknown', id);
  }
  assert.equal(stateOf(facts, 'country'), 'ok');
  assert.equal(checklist(facts).ready, false);
});

test('one question without an answer leaves the others as they are', () => {
  const facts = { ...GOOD, settings: untold('meta_no_answer', false) };
  assert.equal(stateOf(facts, 'token'), 'ok');
  assert.equal(stateOf(facts, 'calling_enabled'), 'unknown');
  assert.equal(stateOf(facts, 'template_approved'), 'ok');
  assert.equal(checklist(facts).ready, false);
});

test('an account id that Meta does not know fails the checks that need it', () => {
  const facts = { ...GOOD, templates: untold('meta_parameter_invalid', true) };
  assert.equal(stateOf(facts, 'template_approved'), 'failed');
  assert.equal(stateOf(facts, 'token'), 'ok');
});
