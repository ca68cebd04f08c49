import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import test, { type TestContext } from 'node:test';
import { pino } from 'pino';
import { ManualClock, systemClock, type Clock } from '../platform/clock.ts';
import { silentLog, type Log } from '../platform/log.ts';
import { openWhatsAppClient } from './client.ts';
import { META_ERRORS } from './errors.ts';
import { WhatsAppFailure, type LineAccess, type WhatsAppClient } from './whatsapp.ts';

/** A server that misbehaves on purpose, on a real socket: what undici does then is the test. */
type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };
type Answer = (response: ServerResponse, seen: Seen, request: IncomingMessage) => void;

const SDP = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n';
const TO = { to: '+16501230000' };
const SENT = {
  contacts: [{ wa_id: '16501230000', user_id: 'US.1' }],
  messages: [{ id: 'wamid.1' }],
};

function json(payload: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(payload));
  };
}

function page(status: number, text: string, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/html', ...headers });
    response.end(text);
  };
}

type Stage = { client: WhatsAppClient; line: LineAccess; seen: Seen[]; arrived: Promise<void> };

async function stage(
  t: TestContext,
  answer: Answer,
  options: { clock?: Clock; log?: Log; timeoutMs?: number } = {},
): Promise<Stage> {
  const seen: Seen[] = [];
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(response, seen.at(-1) as Seen, request);
      resolve();
    });
  });
  const port = await listen(t, server);
  t.after(() => server.closeAllConnections());
  return { ...connect(t, `http://127.0.0.1:${port}`, options), seen, arrived };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function connect(
  t: TestContext,
  graphBaseUrl: string,
  options: { clock?: Clock; log?: Log; timeoutMs?: number; accessToken?: string } = {},
): { client: WhatsAppClient; line: LineAccess } {
  const { clock = systemClock, log = silentLog, accessToken = 'token-1', ...rest } = options;
  const client = openWhatsAppClient({ clock, log, ...rest });
  t.after(() => client.close());
  const ids = { phoneNumberId: '1056', wabaId: '1022', graphVersion: 'v23.0' };
  return { client, line: { graphBaseUrl, accessToken, ...ids } };
}

async function failureOf(work: Promise<unknown>): Promise<WhatsAppFailure> {
  const error: unknown = await work.then(
    () => assert.fail('it should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof WhatsAppFailure, String(error));
  return error;
}

test('a call is posted with the offer as it is and gives the call id', async (t) => {
  const { client, line, seen } = await stage(t, json({ calls: [{ id: 'wacid.1' }] }));
  assert.deepEqual(await client.connectCall(line, TO, SDP, 'call_1'), { wacid: 'wacid.1' });
  assert.equal(seen[0]?.url, '/v23.0/1056/calls');
  assert.equal(seen[0].headers.authorization, 'Bearer token-1');
  assert.deepEqual(JSON.parse(seen[0].body), {
    messaging_product: 'whatsapp',
    to: '16501230000',
    biz_opaque_callback_data: 'call_1',
    action: 'connect',
    session: { sdp_type: 'offer', sdp: SDP },
  });
});

test('a person without a number is called by the business-scoped id', async (t) => {
  const { client, line, seen } = await stage(t, json({ calls: [{ id: 'wacid.1' }] }));
  await client.connectCall(line, { userId: 'US.1' }, SDP, 'call_1');
  const { to, recipient } = JSON.parse(seen[0]?.body ?? '') as Record<string, unknown>;
  assert.deepEqual([to, recipient], [undefined, 'US.1']);
});

test('messages of all three kinds give the message id', async (t) => {
  const { client, line, seen } = await stage(t, json(SENT));
  const sent = { messageId: 'wamid.1', waId: '16501230000', userId: 'US.1' };
  const template = { name: 'ask', language: 'en', variables: ['Anna', '12'] };
  assert.deepEqual(await client.sendTemplate(line, TO, template, 'm1'), sent);
  assert.deepEqual(await client.sendText(line, TO, 'Hello', 'm2'), sent);
  assert.deepEqual(await client.sendCallPermissionRequest(line, TO, 'May we?', 'm3'), sent);
  const types = seen.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  assert.deepEqual(types, ['template', 'text', 'interactive']);
});

test('permissions are read in both vocabularies', async (t) => {
  const expires = { expiration_time: 1_767_614_400 };
  const answers = [
    { permission: { status: 'temporary', ...expires } },
    { permission: { status: 'no_permission' } },
    { permission: { status: 'permanent' } },
    { permission: { status: 'GRANTED', ...expires } },
    { permission: { status: 'denied' } },
    { permission: { status: 'something_new' } },
  ];
  const { client, line, seen } = await stage(t, (response, request, incoming) => {
    json(answers[seen.length - 1])(response, request, incoming);
  });
  const statuses: string[] = [];
  for (const _answer of answers) {
    statuses.push((await client.callPermissions(line, TO)).status);
  }
  assert.deepEqual(statuses, ['temporary', 'none', 'permanent', 'temporary', 'none', 'unknown']);
  assert.equal(seen[0]?.url, '/v23.0/1056/call_permissions?user_wa_id=16501230000');
});

test('limits and allowed actions of a permission are read', async (t) => {
  const limits = [
    {
      time_period: 'PT24H',
      max_allowed: 5,
      current_usage: 5,
      limit_expiration_time: 1_767_614_400,
    },
  ];
  const { client, line } = await stage(
    t,
    json({
      permission: { status: 'temporary', expiration_time: 1_767_614_400 },
      actions: [
        { action_name: 'send_call_permission_request', can_perform_action: true },
        { action_name: 'start_call', can_perform_action: false, limits },
      ],
    }),
  );
  assert.deepEqual(await client.callPermissions(line, { userId: 'US.1' }), {
    status: 'temporary',
    expiresAt: 1_767_614_400_000,
    canRequest: true,
    canCall: false,
    limits: [
      { action: 'start_call', period: 'PT24H', max: 5, used: 5, resetsAt: 1_767_614_400_000 },
    ],
  });
});

test('permission checks of one line are at most five a second', async (t) => {
  const clock = new ManualClock();
  const { client, line, seen } = await stage(t, json({ permission: { status: 'permanent' } }), {
    clock,
  });
  await client.callPermissions(line, TO);
  const second = client.callPermissions(line, TO);
  const other = client.callPermissions({ ...line, phoneNumberId: '2' }, TO);
  await other;
  assert.equal(seen.length, 2);
  clock.advance(200);
  await second;
  assert.equal(seen.length, 3);
  const waiting = Array.from({ length: 60 }, () => client.callPermissions(line, TO));
  const refused = await failureOf(waiting.at(-1) as Promise<unknown>);
  assert.deepEqual([refused.code, refused.verdict], ['meta_permission_check_busy', 'retryable']);
  for (const pending of waiting) pending.catch(() => undefined);
});

test('settings, number, apps and templates are read', async (t) => {
  const { client, line, seen } = await stage(t, (response, request, incoming) => {
    const answers: Record<string, unknown> = {
      '/v23.0/1056/settings': {
        calling: {
          status: 'ENABLED',
          sip: { status: 'DISABLED' },
          callback_permission_status: 'ENABLED',
          call_hours: {
            status: 'ENABLED',
            timezone_id: 'Europe/Berlin',
            weekly_operating_hours: [
              { day_of_week: 'TUESDAY', open_time: '0900', close_time: '1730' },
              { day_of_week: 'MONDAY', open_time: '0900', close_time: '1730' },
              { day_of_week: 'FRIDAY', open_time: '1000', close_time: '1400' },
            ],
            holiday_schedule: [{ date: '2026-12-24', start_time: '0000', end_time: '2359' }],
          },
          restrictions: {
            restrictions_list: [{ type: 'R', reason: 'low', expiration: '1767614400' }],
          },
        },
      },
      '/v23.0/1056': { display_phone_number: '+1 555', verified_name: 'Shop', id: '1056' },
      '/v23.0/1022/subscribed_apps': { data: [{ whatsapp_business_api_data: { id: '77' } }] },
      '/v23.0/1022/message_templates': templatePage(request.url),
    };
    json(answers[request.url.split('?')[0] ?? ''])(response, request, incoming);
  });
  assert.deepEqual(await client.readSettings(line), {
    enabled: true,
    sipEnabled: false,
    keyExchange: 'dtls',
    callback: true,
    hours: {
      zone: 'Europe/Berlin',
      open: [
        { days: [1, 2], from: '09:00', to: '17:30' },
        { days: [5], from: '10:00', to: '14:00' },
      ],
      closed: ['2026-12-24'],
    },
    restrictions: [{ type: 'R', reason: 'low', expiresAt: 1_767_614_400_000 }],
  });
  assert.deepEqual(await client.readPhoneNumber(line), {
    displayPhoneNumber: '+1 555',
    verifiedName: 'Shop',
  });
  assert.deepEqual(await client.readSubscribedApps(line), ['77']);
  const names = (await client.listTemplates(line)).map((template) => template.name);
  assert.deepEqual(names, ['first', 'second']);
  assert.equal(seen.length, 5);
});

function templatePage(url: string): unknown {
  const last = url.includes('after=c1');
  const template = { name: last ? 'second' : 'first', language: 'en', status: 'APPROVED' };
  const paging = last ? {} : { next: 'https://x/', cursors: { after: 'c1' } };
  return { data: [{ ...template, category: 'UTILITY' }], paging };
}

test('a template draft holds samples, footer and quick replies', async (t) => {
  const { client, line, seen } = await stage(t, json({ id: 1_689_556_908_129_832 }));
  const draft = {
    name: 'ask',
    language: 'en',
    category: 'UTILITY',
    body: 'Hi {{1}}, may we call?',
  };
  const made = await client.createTemplate(line, {
    ...draft,
    category: 'UTILITY',
    samples: ['Anna'],
    header: null,
    footer: 'Shop',
    buttons: [
      { kind: 'quick_reply', text: 'Allow calls' },
      { kind: 'call', text: 'Call us' },
    ],
    nativePermissionRequest: false,
  });
  assert.deepEqual(made, { id: '1689556908129832', status: 'PENDING' });
  assert.deepEqual((JSON.parse(seen[0]?.body ?? '') as { components: unknown }).components, [
    { type: 'BODY', text: draft.body, example: { body_text: [['Anna']] } },
    { type: 'FOOTER', text: 'Shop' },
    {
      type: 'BUTTONS',
      buttons: [
        { type: 'VOICE_CALL', text: 'Call us' },
        { type: 'QUICK_REPLY', text: 'Allow calls' },
      ],
    },
  ]);
});

test('a listed template comes back in our words, or as one we cannot send', async (t) => {
  const BODY = { type: 'BODY', text: 'Hi {{1}}', example: { body_text: [['Anna']] } };
  const base = { id: '7', name: 'ask', language: 'de', status: 'paused', category: 'UTILITY' };
  const components = [BODY, { type: 'BUTTONS', buttons: [{ type: 'VOICE_CALL', text: 'Call' }] }];
  const own = { ...base, components, quality_score: { score: 'RED' } };
  const image = { ...base, components: [{ type: 'HEADER', format: 'IMAGE' }, BODY] };
  const { client, line } = await stage(t, json({ data: [own, image] }));
  const [first, second] = await client.listTemplates(line);
  assert.deepEqual([first?.status, first?.quality, first?.id], ['PAUSED', 'RED', '7']);
  assert.deepEqual(first?.draft?.buttons, [{ kind: 'call', text: 'Call' }]);
  assert.deepEqual(first?.draft?.samples, ['Anna']);
  assert.equal(second?.draft, null);
});

test('a template is edited by its id and deleted by name and id', async (t) => {
  const { client, line, seen } = await stage(t, json({ success: true }));
  const draft = { name: 'ask', language: 'de', category: 'UTILITY', body: 'Hi' } as const;
  const rest = { header: null, footer: null, samples: [], buttons: [] };
  await client.editTemplate(line, '7', { ...draft, ...rest, nativePermissionRequest: true });
  await client.deleteTemplate(line, { name: 'ask', metaId: '7' });
  assert.deepEqual(
    seen.map(({ method, url }) => `${method} ${url}`),
    ['POST /v23.0/7', 'DELETE /v23.0/1022/message_templates?name=ask&hsm_id=7'],
  );
  const sent = JSON.parse(seen[0]?.body ?? '') as { name?: string; components: unknown };
  assert.equal(sent.name, undefined);
  assert.deepEqual(sent.components, [
    { type: 'BODY', text: 'Hi' },
    { type: 'call_permission_request' },
  ]);
});

test('a call button goes free-form or as part of a template', async (t) => {
  const { client, line, seen } = await stage(t, json(SENT));
  const button = { label: 'Call us', ttlMinutes: 60, payload: 'order-7' };
  await client.sendCallButton(line, TO, { text: 'Ring?', button }, 'm1');
  const template = { name: 'ring', language: 'de', variables: [], callButton: button };
  await client.sendTemplate(line, TO, template, 'm2');
  const [free, templated] = seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  assert.deepEqual(free?.['interactive'], {
    type: 'voice_call',
    body: { text: 'Ring?' },
    action: {
      name: 'voice_call',
      parameters: { display_text: 'Call us', ttl_minutes: 60, payload: 'order-7' },
    },
  });
  assert.deepEqual((templated?.['template'] as { components: unknown } | undefined)?.components, [
    {
      type: 'button',
      sub_type: 'voice_call',
      index: 0,
      parameters: [
        { type: 'ttl_minutes', ttl_minutes: 60 },
        { type: 'payload', payload: 'order-7' },
      ],
    },
  ]);
});

test('ending a call that is already over is no failure', async (t) => {
  const over = { error: { code: 100, error_data: { details: 'The call has already ended' } } };
  const answers = [json({ success: true }), json(over, 400), json({ error: { code: 190 } }, 401)];
  const { client, line, seen } = await stage(t, (response, request, incoming) => {
    answers[seen.length - 1]?.(response, request, incoming);
  });
  await client.terminateCall(line, 'wacid.1');
  await client.terminateCall(line, 'wacid.1');
  const failure = await failureOf(client.terminateCall(line, 'wacid.1'));
  assert.equal(failure.code, 'meta_token_invalid');
});

test('every known code arrives as its typed failure over the wire', async (t) => {
  const codes = META_ERRORS.flatMap((row) =>
    row.metaCodes.slice(0, 8).map((code) => ({ row, code })),
  );
  const { client, line, seen } = await stage(t, (response, request, incoming) => {
    const code = codes[seen.length - 1]?.code;
    json({ error: { code, fbtrace_id: 'A' } }, 400)(response, request, incoming);
  });
  for (const { row, code } of codes) {
    const failure = await failureOf(client.connectCall(line, TO, SDP, 'x'));
    assert.deepEqual(
      [failure.code, failure.verdict, failure.side, failure.metaCode, failure.traceId],
      [row.code, row.verdict, row.side, code, 'A'],
    );
  }
});

const OPEN = ['meta_outcome_unknown', 'terminal', 'indeterminate'];
const FAULTS: Array<{ name: string; answer: Answer; dial: string[]; read: string[] }> = [
  {
    name: 'an HTML page with 200',
    answer: page(200, '<html>hi</html>'),
    dial: OPEN,
    read: ['meta_answer_invalid', 'retryable', 'upstream'],
  },
  {
    name: 'an empty 200',
    answer: page(200, ''),
    dial: OPEN,
    read: ['meta_answer_invalid', 'retryable', 'upstream'],
  },
  {
    name: '200 with an error inside',
    answer: json({ error: { code: 138006 } }),
    dial: ['meta_permission_missing', 'terminal', 'client'],
    read: ['meta_permission_missing', 'terminal', 'client'],
  },
  {
    name: '200 without the id',
    answer: json({ calls: [] }),
    dial: OPEN,
    read: ['meta_answer_invalid', 'retryable', 'upstream'],
  },
  {
    name: 'a redirect',
    answer: page(302, '', { location: 'http://127.0.0.1:1/' }),
    dial: OPEN,
    read: ['meta_answer_invalid', 'retryable', 'upstream'],
  },
  {
    name: '429 with Retry-After',
    answer: page(429, '', { 'retry-after': '9' }),
    dial: ['meta_rate_limited', 'retryable', 'upstream'],
    read: ['meta_rate_limited', 'retryable', 'upstream'],
  },
  {
    name: '503 as HTML',
    answer: page(503, '<html>Sorry</html>'),
    dial: OPEN,
    read: ['meta_answer_invalid', 'retryable', 'upstream'],
  },
  {
    name: 'a reset after the request arrived',
    answer: (response) => void response.socket?.resetAndDestroy(),
    dial: OPEN,
    read: ['meta_no_answer', 'retryable', 'upstream'],
  },
  {
    name: 'a connection closed without an answer',
    answer: (response) => void response.socket?.end(),
    dial: OPEN,
    read: ['meta_no_answer', 'retryable', 'upstream'],
  },
  {
    name: 'an answer cut off in the middle',
    answer: (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"calls":', () => response.socket?.destroy());
    },
    dial: OPEN,
    read: ['meta_no_answer', 'retryable', 'upstream'],
  },
  {
    name: 'bytes that are no HTTP',
    answer: (response) => void response.socket?.end('SSH-2.0-nope\r\n\r\n'),
    dial: OPEN,
    read: ['meta_no_answer', 'retryable', 'upstream'],
  },
  {
    name: 'a never-ending answer',
    answer: (response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour);
      pour();
    },
    dial: OPEN,
    read: ['meta_no_answer', 'retryable', 'upstream'],
  },
];

for (const { name, answer, dial, read } of FAULTS) {
  test(`${name}: a dial is left open, a read may be retried`, async (t) => {
    const { client, line } = await stage(t, answer);
    const dialled = await failureOf(client.connectCall(line, TO, SDP, 'x'));
    assert.deepEqual([dialled.code, dialled.verdict, dialled.side], dial);
    const failed = await failureOf(client.readPhoneNumber(line));
    assert.deepEqual([failed.code, failed.verdict, failed.side], read);
    if (name.startsWith('429')) assert.equal(dialled.retryAfterMs, 9000);
  });
}

test('a slow drip and a silent server are cut off by the time-out', async (t) => {
  for (const answer of [
    (): void => undefined,
    ((response) => {
      response.writeHead(200);
      response.write('{');
    }) satisfies Answer,
  ]) {
    const clock = new ManualClock();
    const { client, line, arrived } = await stage(t, answer, { clock, timeoutMs: 5000 });
    const dial = failureOf(client.connectCall(line, TO, SDP, 'x'));
    await arrived;
    clock.advance(5000);
    assert.equal((await dial).code, 'meta_outcome_unknown');
    assert.equal(clock.pendingTimers, 0);
  }
});

test('what never left may be dialled again: a refused connection, an unknown host', async (t) => {
  const gone = createTcpServer();
  const port = await listen(t, gone);
  await new Promise((resolve) => gone.close(resolve));
  for (const url of [`http://127.0.0.1:${port}`, 'http://graph.invalid']) {
    const { client, line } = connect(t, url);
    const failure = await failureOf(client.connectCall(line, TO, SDP, 'x'));
    assert.deepEqual([failure.code, failure.verdict], ['meta_unreachable', 'retryable']);
  }
});

test('a connection that fails its TLS handshake never carried the request', async (t) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const port = await listen(t, server);
  const { client, line } = connect(t, `https://127.0.0.1:${port}`);
  const failure = await failureOf(client.connectCall(line, TO, SDP, 'x'));
  assert.deepEqual([failure.code, failure.verdict], ['meta_unreachable', 'retryable']);
});

test('a line that cannot be put into a request says so', async (t) => {
  for (const [url, accessToken] of [
    ['not a url', 'token'],
    ['http://127.0.0.1:1', 'token\nX-Evil: 1'],
  ] as const) {
    const { client, line } = connect(t, url, { accessToken });
    const failure = await failureOf(client.connectCall(line, TO, SDP, 'x'));
    assert.deepEqual([failure.code, failure.verdict], ['meta_line_unusable', 'terminal']);
  }
});

test('neither token nor SDP nor number reaches the log, whatever happens', async (t) => {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const answers = [
    json({ calls: [{ id: 'wacid.1' }] }),
    json({ error: { code: 100, message: `bad SDP ${SDP} of +16501230000, token-1` } }, 400),
    page(200, '<html>token-1</html>'),
  ];
  const { client, line, seen } = await stage(
    t,
    (response, request, incoming) => answers[seen.length - 1]?.(response, request, incoming),
    { log },
  );
  await client.connectCall(line, TO, SDP, 'x');
  for (let index = 0; index < 2; index += 1)
    await failureOf(client.connectCall(line, TO, SDP, 'x'));
  assert.equal(lines.length, 3);
  assert.doesNotMatch(lines.join(''), /token-1|v=0|16501230000/);
});
