import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FaultDraft } from './control-types.ts';
import { connectBody, rehearse, SAMPLE_OFFER, type Rehearsal } from './simulator-harness.ts';
import { sentinel } from './people.ts';
import { PRESET } from './simulator.ts';

const CALLS = `${PRESET.phoneNumberId}/calls`;
const MESSAGES = `${PRESET.phoneNumberId}/messages`;
const ada = sentinel('001');
const always = sentinel('111');

async function allowed(stage: Rehearsal, number: string): Promise<void> {
  await stage.ask(number);
  await stage.pass(2000);
}

describe('POST /calls refuses in this order', () => {
  type Row = {
    name: string;
    http: number;
    code: number;
    prepare?: (stage: Rehearsal) => Promise<unknown>;
    body?: object;
    token?: string;
    path?: string;
  };
  const withOffer = (sdp: string): object => ({
    ...connectBody(always),
    session: { sdp_type: 'offer', sdp },
  });
  const settings = (calling: object) => (stage: Rehearsal) =>
    stage.graph('POST', `${PRESET.phoneNumberId}/settings`, { calling });
  // Each row breaks everything the rows after it break as well, so the order is tested too.
  const rows: Row[] = [
    { name: 'a wrong token', http: 401, code: 190, token: 'nobody', path: '999/calls' },
    { name: 'an unknown number id', http: 400, code: 100, path: '999/calls' },
    {
      name: 'a SIP number',
      http: 400,
      code: 131055,
      prepare: settings({ status: 'DISABLED', sip: { status: 'ENABLED' } }),
    },
    {
      name: 'calling switched off',
      http: 401,
      code: 138000,
      prepare: settings({ status: 'DISABLED' }),
      body: {},
    },
    {
      name: 'a restricted number',
      http: 400,
      code: 138014,
      prepare: (stage) =>
        stage.simulator.inject({
          method: 'POST',
          url: `/simulator/lines/${PRESET.phoneNumberId}/restrict`,
        }),
      body: { action: 'connect' },
    },
    { name: 'no product', http: 400, code: 100, body: { action: 'connect', to: always } },
    { name: 'an unknown action', http: 400, code: 100, body: { action: 'create' } },
    { name: 'garbage as SDP', http: 400, code: 100, body: withOffer('hello') },
    {
      name: 'bare line feeds',
      http: 400,
      code: 100,
      body: withOffer(SAMPLE_OFFER.replaceAll('\r', '')),
    },
    {
      name: 'no fingerprint',
      http: 400,
      code: 100,
      body: withOffer(SAMPLE_OFFER.replace(/a=fingerprint[^\r]*\r\n/, '')),
    },
    {
      name: 'a sha-1 fingerprint alone',
      http: 400,
      code: 100,
      body: withOffer(SAMPLE_OFFER.replace('sha-256', 'sha-1')),
    },
    {
      name: 'a video line',
      http: 400,
      code: 100,
      body: withOffer(`${SAMPLE_OFFER}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n`),
    },
    {
      name: 'an offer that is active',
      http: 400,
      code: 100,
      body: withOffer(SAMPLE_OFFER.replace('actpass', 'active')),
    },
    {
      name: 'no Opus',
      http: 400,
      code: 100,
      body: withOffer(SAMPLE_OFFER.replace('opus', 'speex')),
    },
    { name: 'no number', http: 400, code: 100, body: connectBody('not a number') },
    { name: 'too old a client', http: 400, code: 138001, body: connectBody(sentinel('110')) },
    { name: 'no permission', http: 401, code: 138006, body: connectBody(ada) },
    {
      name: 'a second call at once',
      http: 400,
      code: 138003,
      prepare: async (stage) => {
        await allowed(stage, always);
        await stage.dial(always);
      },
    },
  ];
  for (const row of rows) {
    test(`${row.name}: ${row.http} / ${row.code}`, async () => {
      await using stage = await rehearse({});
      await row.prepare?.(stage);
      const answer = await stage.simulator.inject({
        method: 'POST',
        url: `/v23.0/${row.path ?? CALLS}`,
        headers: { authorization: `Bearer ${row.token ?? PRESET.accessToken}` },
        payload: row.body ?? connectBody(always),
      });
      const { error } = answer.body as { error: Record<string, unknown> };
      assert.deepEqual([answer.status, error.code], [row.http, row.code]);
      assert.equal(error.type, 'OAuthException');
      assert.equal(typeof error.fbtrace_id, 'string');
    });
  }

  test('limits of the line: 138002 at once, 138005 per second, 138013 by country', async () => {
    await using full = await rehearse({ settings: { concurrentCalls: 0 } });
    await allowed(full, always);
    assert.equal(await full.dial(always), 'refused 138002');
    await using fast = await rehearse({ settings: { callsPerSecond: 0 } });
    await allowed(fast, always);
    assert.equal(await fast.dial(always), 'refused 138005');
    await using abroad = await rehearse({ settings: { blockedCountries: ['GB'] } });
    assert.equal(await abroad.dial(always), 'refused 138013');
  });

  test('connected calls in 24 h: 138012 with the next allowed time', async () => {
    await using stage = await rehearse({ settings: { connectedCallsPerDay: 1 } });
    const dan = sentinel('101');
    await allowed(stage, dan);
    await stage.dial(dan);
    await stage.pass(10_000);
    const refused = await stage.graph('POST', CALLS, connectBody(dan));
    assert.equal(refused.body.error?.code, 138012);
    assert.match(refused.body.error?.error_data?.details ?? '', /2026-01-06T12:00:0\d/);
  });
});

describe('the rest of the Graph API', () => {
  test('terminate of an unknown or ended call is a parameter error', async () => {
    await using stage = await rehearse({});
    const answer = await stage.graph('POST', CALLS, { action: 'terminate', call_id: 'wacid.x' });
    assert.deepEqual([answer.status, answer.body.error?.code], [400, 100]);
  });

  test('call_permissions tells limits and when they end, and has its own rate limit', async () => {
    await using stage = await rehearse({ settings: { permissionQueriesPerSecond: 2 } });
    const path = `${PRESET.phoneNumberId}/call_permissions?user_wa_id=447700900111`;
    const first = await stage.graph('GET', path);
    assert.deepEqual(first.body.permission, { status: 'no_permission' });
    await stage.ask(always);
    const second = await stage.graph('GET', path);
    const [request] = second.body.actions as Array<Record<string, unknown>>;
    assert.equal(request?.can_perform_action, false);
    const now = Math.floor(stage.clock.now() / 1000);
    assert.deepEqual(request?.limits, [
      {
        time_period: 'PT24H',
        max_allowed: 1,
        current_usage: 1,
        limit_expiration_time: now + 86_400,
      },
      { time_period: 'P7D', max_allowed: 2, current_usage: 1 },
    ]);
    const third = await stage.graph('GET', path);
    assert.deepEqual([third.status, third.body.error?.code], [429, 613]);
  });

  test('one request a day and two a week; a connected call resets both', async () => {
    await using stage = await rehearse({});
    const dan = sentinel('101');
    await allowed(stage, dan);
    assert.equal(await stage.ask(dan), 'refused 138009');
    stage.clock.advance(86_400_000);
    await allowed(stage, dan);
    stage.clock.advance(86_400_000);
    assert.equal(await stage.ask(dan), 'refused 138009');
    await stage.dial(dan);
    await stage.pass(10_000);
    assert.match(await stage.ask(dan), /^wamid/);
  });

  test('free-form messages fail outside the window with 131047, inside they arrive', async () => {
    await using stage = await rehearse({});
    const text = { messaging_product: 'whatsapp', to: ada, type: 'text', text: { body: 'Hi' } };
    assert.equal((await stage.graph('POST', MESSAGES, text)).status, 200);
    await stage.pass(1000);
    assert.equal(stage.simulator.person(ada).messages[0]?.status, 'failed');
    stage.simulator.act(ada, { action: 'write', text: 'Hello?' });
    await stage.graph('POST', MESSAGES, text);
    await stage.pass(1000);
    assert.equal(stage.simulator.person(ada).messages.at(-1)?.status, 'delivered');
  });

  test('templates: wrong count 132000, unknown 132001', async () => {
    await using stage = await rehearse({});
    const send = (name: string): Promise<{ body: { error?: { code: number } } }> =>
      stage.graph('POST', MESSAGES, {
        messaging_product: 'whatsapp',
        to: ada,
        type: 'template',
        template: { name, language: { code: 'en_US' }, components: [] },
      });
    assert.equal((await send('call_permission_request')).body.error?.code, 132000);
    assert.equal((await send('no_such')).body.error?.code, 132001);
  });

  test('a new template is pending, then approved by webhook; bad ones are refused', async () => {
    await using stage = await rehearse({});
    const create = (name: string, text: string, samples: string[] = []): Promise<unknown> =>
      stage
        .graph('POST', `${PRESET.wabaId}/message_templates`, {
          name,
          language: 'en',
          category: 'UTILITY',
          components: [
            { type: 'BODY', text, example: { body_text: [samples] } },
            { type: 'call_permission_request' },
          ],
        })
        .then(({ body }) => body.error?.error_subcode ?? body.status);
    assert.equal(await create('good', 'May we call you about {{1}} today?', ['it']), 'PENDING');
    assert.equal(await create('first', '{{1}}, may we call you today?', ['Ada']), 2388299);
    assert.equal(await create('last', 'May we call you about {{1}}', ['it']), 2388299);
    assert.equal(await create('near', 'May we call {{1}} {{2}} about it?', ['a', 'b']), 2388073);
    assert.equal(await create('dense', 'Hi {{1}} or {{2}} ok', ['a', 'b']), 2388293);
    assert.equal(await create('sales', 'May we call about our big sale today?'), 'PENDING');
    await stage.pass(3000);
    const told = stage.received.map(({ body }) => body.entry[0]?.changes[0]?.value);
    assert.deepEqual(
      told.map((value) => [value?.event, value?.message_template_name, value?.reason]),
      [
        ['APPROVED', 'good', 'NONE'],
        ['REJECTED', 'sales', 'INCORRECT_CATEGORY'],
      ],
    );
  });

  test('a template is edited, paused and deleted, and sending follows', async () => {
    await using stage = await rehearse({});
    const path = `${PRESET.wabaId}/message_templates`;
    const components = [{ type: 'BODY', text: 'Call us when it suits you.' }];
    const draft = { name: 'ring_us', language: 'en', category: 'UTILITY', components };
    const made = await stage.graph('POST', path, draft);
    const id = String(made.body['id']);
    const send = async (): Promise<number | undefined> => {
      const template = { name: 'ring_us', language: { code: 'en' } };
      const body = { messaging_product: 'whatsapp', to: ada, type: 'template', template };
      return (await stage.graph('POST', MESSAGES, body)).body.error?.code;
    };
    assert.equal(await send(), 132001);
    assert.equal((await stage.graph('POST', id, { components })).body.error?.code, 100);
    await stage.pass(3000);
    assert.equal(await send(), undefined);
    const buttons = [{ type: 'VOICE_CALL', text: 'Call now' }];
    const edited = { components: [...components, { type: 'BUTTONS', buttons }] };
    assert.equal((await stage.graph('POST', id, edited)).status, 200);
    await stage.pass(3000);
    assert.equal(await send(), undefined);
    assert.equal(stage.simulator.person(ada).messages.at(-1)?.buttons[0]?.action, 'call_business');
    for (const [status, code] of [
      ['PAUSED', 132015],
      ['DISABLED', 132016],
    ] as const) {
      const url = `/simulator/templates/${id}`;
      await stage.simulator.inject({ method: 'POST', url, payload: { status } });
      assert.equal(await send(), code);
    }
    assert.equal((await stage.graph('DELETE', `${path}?name=ring_us`)).status, 200);
    assert.equal(await send(), 132001);
  });

  test('the list of templates comes in pages, and only next says that there is more', async () => {
    await using stage = await rehearse({});
    type Listed = { data: unknown[]; paging: { next?: string; cursors: { after: string } } };
    const path = `${PRESET.wabaId}/message_templates?limit=60`;
    const page = (await stage.graph('GET', path)).body as unknown as Listed;
    assert.deepEqual([page.data.length, page.paging.next !== undefined], [60, true]);
    const { after } = page.paging.cursors;
    const rest = (await stage.graph('GET', `${path}&after=${after}`)).body as unknown as Listed;
    assert.deepEqual([rest.data.length, rest.paging.next], [28, undefined]);
  });

  test('the number, the account and the subscription can be read', async () => {
    await using stage = await rehearse({});
    const fields = 'display_phone_number,verified_name,quality_rating';
    const number = await stage.graph('GET', `${PRESET.phoneNumberId}?fields=${fields}`);
    assert.deepEqual(number.body, {
      id: PRESET.phoneNumberId,
      display_phone_number: PRESET.displayNumber,
      verified_name: PRESET.businessName,
      quality_rating: 'GREEN',
    });
    const apps = await stage.graph('GET', `${PRESET.wabaId}/subscribed_apps`);
    assert.equal((apps.body.data as unknown[]).length, 1);
  });
});

describe('faults in the answer', () => {
  const dialWith = async (
    fault: FaultDraft,
  ): Promise<{ stage: Rehearsal; status: number; body: unknown }> => {
    const stage = await rehearse({});
    await allowed(stage, always);
    stage.simulator.setFault(fault);
    const { status, body } = await stage.graph('POST', CALLS, connectBody(always));
    return { stage, status, body };
  };

  test('server_error has no effect and goes away after its times', async () => {
    const { stage: opened, status, body } = await dialWith({ kind: 'server_error', times: 1 });
    await using stage = opened;
    assert.equal(status, 500);
    assert.equal((body as { error: { code: number } }).error.code, 131000);
    assert.match(await stage.dial(always), /^wacid/);
  });

  test('html_answer is HTML', async () => {
    const { stage: opened, status, body } = await dialWith({ kind: 'html_answer', times: 1 });
    await using _stage = opened;
    assert.equal(status, 502);
    assert.match(String(body), /<!DOCTYPE html>/);
  });

  test('lost_answer resets the connection although the call is placed', async () => {
    await using stage = await rehearse({});
    await allowed(stage, always);
    stage.simulator.setFault({ kind: 'lost_answer', times: 1 });
    await assert.rejects(
      fetch(`${stage.simulator.url}/v23.0/${CALLS}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${PRESET.accessToken}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(connectBody(always, 'lost-1')),
      }),
    );
    await stage.pass(2000);
    const call = stage.received.at(-1)?.body.entry[0]?.changes[0]?.value.statuses?.[0];
    assert.equal(call?.biz_opaque_callback_data, 'lost-1');
  });

  test('slow_answer comes late', async () => {
    await using stage = await rehearse({});
    await allowed(stage, always);
    stage.simulator.setFault({ kind: 'slow_answer', times: 1, delayMs: 5000 });
    let answered = false;
    const dialled = stage.dial(always).then(() => (answered = true));
    await stage.pass(4000);
    assert.equal(answered, false);
    await stage.pass(2000);
    assert.equal(await dialled, true);
  });

  test('connect_before_response delivers connect first', async () => {
    await using stage = await rehearse({});
    await allowed(stage, always);
    stage.simulator.setFault({ kind: 'connect_before_response', times: 1 });
    const dialled = stage.dial(always).then(() => [...stage.callEvents()]);
    assert.deepEqual(await dialled, ['connect']);
    await stage.pass(2000);
    assert.deepEqual(stage.callEvents(), ['connect', 'RINGING']);
  });
});
