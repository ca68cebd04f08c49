import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type RequestListener, type Server } from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
} from 'node:net';
import { after, test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { makeEgress, type LookupAll } from './egress.ts';
import { ATTEMPT_TIMEOUT_MS } from './webhooks.ts';

/** Receivers that misbehave, on loopback, each with its own way of being bad (test W-04). */
const opened: Array<Server | TcpServer> = [];
after(() => {
  for (const server of opened) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server | TcpServer): Promise<number> {
  opened.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function receiver(handler: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(handler))}/hook`;
}

function sandboxEgress() {
  const clock = new ManualClock();
  return { clock, egress: makeEgress({ clock, allowPrivate: true }) };
}

test('a good receiver gets headers and body; 2xx comes back with its status', async () => {
  const { egress, clock } = sandboxEgress();
  let seen: { id: unknown; type: unknown; body: string } | undefined;
  const url = await receiver((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { headers } = request;
      const body = Buffer.concat(parts).toString();
      seen = { id: headers['webhook-id'], type: headers['content-type'], body };
      response.writeHead(204).end();
    });
  });
  const result = await egress.post(url, { 'webhook-id': 'evt_1' }, '{"ä":1}');
  assert.deepEqual(result, { status: 204, error: null, retryAfter: null });
  assert.deepEqual(seen, { id: 'evt_1', type: 'application/json', body: '{"ä":1}' });
  assert.equal(clock.pendingTimers, 0);
  await egress.close();
});

test('a redirect is an answer and is not followed', async () => {
  const { egress } = sandboxEgress();
  let hits = 0;
  const url = await receiver((_request, response) => {
    hits += 1;
    response.writeHead(307, { location: '/hook', 'retry-after': '120' }).end();
  });
  const result = await egress.post(url, {}, '{}');
  assert.deepEqual([result.status, result.retryAfter, hits], [307, '120', 1]);
  await egress.close();
});

test('a receiver that never answers is given up after 15 s', async () => {
  const { egress, clock } = sandboxEgress();
  const asked = Promise.withResolvers<void>();
  const url = await receiver(() => asked.resolve());
  const result = egress.post(url, {}, '{}');
  await asked.promise;
  clock.advance(ATTEMPT_TIMEOUT_MS);
  assert.deepEqual(await result, { status: null, error: 'timed_out', retryAfter: null });
  await egress.close();
});

test('a 200 whose body drips for ever is over within 15 s', async () => {
  const { egress, clock } = sandboxEgress();
  const url = await receiver((_request, response) => {
    response.writeHead(200).write('x');
  });
  const state = { settled: false };
  const result = egress.post(url, {}, '{}').finally(() => {
    state.settled = true;
  });
  // Time is moved only as often as the answer needs to arrive; nothing here waits for real time.
  while (!state.settled) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.pendingTimers > 0) clock.advance(1);
  }
  assert.equal((await result).status === 200 || (await result).error === 'timed_out', true);
  await egress.close();
});

test('of an endless body no more than 64 kB is taken', async () => {
  const { egress } = sandboxEgress();
  let sent = 0;
  const closed = Promise.withResolvers<void>();
  const url = await receiver((_request, response) => {
    response.writeHead(200);
    const part = Buffer.alloc(16_384);
    const pour = (): void => {
      while (!response.destroyed) {
        sent += part.length;
        if (!response.write(part)) break;
      }
    };
    response.on('drain', pour);
    response.on('close', () => closed.resolve());
    pour();
  });
  assert.equal((await egress.post(url, {}, '{}')).status, 200);
  await closed.promise;
  // What the kernel buffers on the way counts against neither side's memory of ours.
  assert.ok(sent < 32 * 1024 * 1024, `${sent}`);
  await egress.close();
});

const RAW_ANSWERS: Array<[string, string]> = [
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9\r\n'],
  ['a header bomb', `HTTP/1.1 200 OK\r\n${'x-a: bbbbbbbb\r\n'.repeat(5_000)}\r\n`],
  ['a broken chunk', 'HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  ['an early end', ''],
  ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
];
for (const [name, bytes] of RAW_ANSWERS) {
  test(`a receiver that answers with ${name} is a failed try, not an exception`, async () => {
    const { egress } = sandboxEgress();
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(bytes));
    });
    const result = await egress.post(`http://127.0.0.1:${await listen(server)}/`, {}, '{}');
    assert.ok(result.status === null || result.status === 500, JSON.stringify(result));
    await egress.close();
  });
}

test('TLS without a certificate that is trusted is a failed try', async () => {
  const { egress } = sandboxEgress();
  const server = createHttpsServer({}, (_request, response) => response.end());
  const url = `https://127.0.0.1:${await listen(server)}/`;
  const result = await egress.post(url, {}, '{}');
  assert.equal(result.status, null);
  await egress.close();
});

test('a closed port is a failed try with its reason', async () => {
  const { egress } = sandboxEgress();
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  assert.equal((await egress.post(`http://127.0.0.1:${port}/`, {}, '{}')).error, 'ECONNREFUSED');
  await egress.close();
});

test('a name that flips to loopback reaches nobody, in 1,000 rounds', async () => {
  let hits = 0;
  const port = await listen(
    createServer((_request, response) => {
      hits += 1;
      response.end();
    }),
  );
  let lookups = 0;
  // Public first, as a check at save time would see it; then loopback, then both at once.
  const flipping: LookupAll = async () => {
    lookups += 1;
    const loopback = { address: '127.0.0.1', family: 4 };
    const mapped = { address: '::ffff:127.0.0.1', family: 6 };
    const open = { address: '8.8.8.8', family: 4 };
    return [[loopback], [open, loopback], [mapped], [loopback, open]][lookups % 4] ?? [loopback];
  };
  const clock = new ManualClock();
  const egress = makeEgress({ clock, allowPrivate: false, lookup: flipping });
  for (let round = 0; round < 1_000; round += 1) {
    const result = await egress.post(`http://r${round}.example.com:${port}/`, {}, '{}');
    assert.equal(result.error, 'webhook_url_forbidden_address');
  }
  assert.equal(hits, 0);
  assert.equal(lookups, 1_000, 'every name is resolved exactly once');
  await egress.close();
});
