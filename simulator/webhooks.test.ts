import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { FaultDraft } from './control-types.ts';
import { rehearse, type Rehearsal, type WebhookValue } from './simulator-harness.ts';
import { sentinel } from './people.ts';
import { PRESET } from './simulator.ts';
import { escapedJson, signature } from './webhook-outlet.ts';

const dan = sentinel('101');

/** A whole call of Dan (answers, hangs up after 5 s) with one fault set from the dial on. */
async function callWith(fault: FaultDraft): Promise<Rehearsal> {
  const stage = await rehearse({});
  await stage.ask(dan);
  await stage.pass(2000);
  stage.received.length = 0;
  stage.simulator.setFault(fault);
  await stage.dial(dan);
  await stage.pass(60_000);
  return stage;
}

function values(stage: Rehearsal): WebhookValue[] {
  return stage.received.flatMap(({ body }) =>
    body.entry.flatMap((entry) => entry.changes.map((change) => change.value)),
  );
}

const ORDINARY = ['connect', 'RINGING', 'ACCEPTED', 'terminate COMPLETED'];

describe('webhook faults', () => {
  const rows: Array<{ fault: FaultDraft; events: string[] }> = [
    {
      fault: { kind: 'duplicate_webhook', on: 'connect', times: 1 },
      events: ['connect', ...ORDINARY],
    },
    {
      fault: { kind: 'reorder_webhooks', on: 'connect', times: 1 },
      events: ['RINGING', 'connect', 'ACCEPTED', 'terminate COMPLETED'],
    },
    {
      fault: { kind: 'delay_webhook', on: 'ACCEPTED', times: 1, delayMs: 30_000 },
      events: ['connect', 'RINGING', 'terminate COMPLETED', 'ACCEPTED'],
    },
    {
      fault: { kind: 'drop_webhook', on: 'connect', times: 1 },
      events: ['RINGING', 'ACCEPTED', 'terminate COMPLETED', 'connect'],
    },
    { fault: { kind: 'two_in_one_delivery', on: 'connect', times: 1 }, events: ORDINARY },
    {
      fault: { kind: 'unknown_event', on: 'RINGING', times: 1 },
      events: ['connect', 'call_hologram', 'LEVITATING', ...ORDINARY.slice(1)],
    },
    {
      fault: { kind: 'terminate_before_connect', times: 1 },
      events: ['terminate FAILED 138019', 'connect'],
    },
  ];
  for (const { fault, events } of rows) {
    test(`${fault.kind}: ${events.join(', ')}`, async () => {
      await using stage = await callWith(fault);
      assert.deepEqual(stage.callEvents(), events);
      assert.ok(stage.received.every((one) => one.signed));
      assert.deepEqual(stage.simulator.state().faults, []);
    });
  }

  test('two_in_one_delivery puts two entries into one body', async () => {
    await using stage = await callWith({ kind: 'two_in_one_delivery', on: 'connect', times: 1 });
    assert.equal(stage.received[0]?.body.entry.length, 2);
  });

  test('missing_contacts, bsuid_only and integer_times bend every delivery', async () => {
    await using bare = await callWith({ kind: 'missing_contacts' });
    assert.ok(values(bare).every((value) => value.contacts === undefined));
    await using hidden = await callWith({ kind: 'bsuid_only' });
    assert.ok(hidden.received.every((one) => !one.raw.includes('447700900101')));
    assert.ok(hidden.received.every((one) => one.raw.includes('GB.')));
    await using integers = await callWith({ kind: 'integer_times' });
    const last = values(integers).at(-1)?.calls?.[0];
    assert.equal(typeof last?.timestamp, 'number');
    assert.equal(typeof last?.start_time, 'number');
  });

  const sdpRows: Array<[FaultDraft['kind'], RegExp]> = [
    ['setup_actpass', /a=setup:actpass\r\n/],
    ['sdp_sha1_fingerprint', /a=fingerprint:sha-1 ([0-9A-F]{2}:){19}[0-9A-F]{2}\r\n/],
    ['sdp_without_fingerprint', /^(?![^]*a=fingerprint)/],
    ['sdp_garbage', /^\0not/],
  ];
  for (const [kind, pattern] of sdpRows) {
    test(`${kind} spoils the answer`, async () => {
      await using stage = await callWith({ kind, times: 1 });
      const session = values(stage)[0]?.calls?.[0]?.session as { sdp: string };
      assert.match(session.sdp, pattern);
    });
  }

  test('wrong_signature is refused by who checks, and comes again signed well', async () => {
    await using stage = await rehearse({ answer: (one) => (one.signed ? 200 : 401) });
    stage.simulator.setFault({ kind: 'wrong_signature', times: 1 });
    stage.simulator.act(sentinel('001'), { action: 'write', text: 'Hello' });
    await stage.pass(3000);
    assert.deepEqual(
      stage.received.map((one) => one.signed),
      [false, true],
    );
  });

  test('a probability strikes by the seed', async () => {
    await using stage = await callWith({ kind: 'duplicate_webhook', probability: 0.5 });
    const count = stage.received.length;
    assert.ok(count > 4 && count < 8, `${count} deliveries`);
  });
});

describe('delivery', () => {
  test('anything but 2xx is repeated with growing pauses, then given up', async () => {
    await using stage = await rehearse({
      answer: () => 500,
      settings: { webhookRetryMs: [1000, 5000] },
    });
    stage.simulator.act(sentinel('001'), { action: 'write', text: 'Hello' });
    await stage.pass(10_000);
    assert.equal(stage.received.length, 3);
    const [delivery] = stage.simulator.state().deliveries;
    assert.deepEqual(
      [delivery?.attempts, delivery?.state, delivery?.lastStatus],
      [3, 'given_up', 500],
    );
  });

  test('JSON is escaped as Meta does, and signed over those bytes', () => {
    const body = escapedJson({ name: 'Ångström 😀', url: 'https://x/y' });
    assert.equal(
      body.toString(),
      '{"name":"\\u00c5ngstr\\u00f6m \\ud83d\\ude00","url":"https:\\/\\/x\\/y"}',
    );
    assert.deepEqual(JSON.parse(body.toString()), { name: 'Ångström 😀', url: 'https://x/y' });
    const hmac = createHmac('sha256', 'secret').update(body).digest('hex');
    assert.equal(signature(body, 'secret'), `sha256=${hmac}`);
  });

  test('a webhook over HTTP: handshake first, then signed posts', async () => {
    const bodies: string[] = [];
    const { server, url } = await receiver((body) => bodies.push(body));
    await using stage = await rehearse({});
    assert.equal(await stage.simulator.registerWebhook(url), true);
    assert.equal(await stage.simulator.registerWebhook(url, 'not the token'), false);
    assert.equal(stage.simulator.state().webhookUrl, url);
    server.close();
  });

  test('an app that is not subscribed hears nothing', async () => {
    await using stage = await rehearse({});
    await stage.graph('DELETE', `${PRESET.wabaId}/subscribed_apps`);
    stage.simulator.act(sentinel('001'), { action: 'write', text: 'Hello' });
    await stage.pass(1000);
    assert.equal(stage.received.length, 0);
  });
});

async function receiver(onBody: (body: string) => void): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://x').searchParams;
    const known = query.get('hub.verify_token') === PRESET.verifyToken;
    if (request.method === 'GET') {
      response.statusCode = known ? 200 : 403;
      response.end(query.get('hub.challenge'));
      return;
    }
    request.on('data', (chunk: Buffer) => onBody(chunk.toString()));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/webhook` };
}
