import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { SipCallEvent, SipUserAgent } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

const limits = { timeout: 120_000 };
const options = {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  bindAddress: '127.0.0.1',
  tcp: true,
};

function dial(agent: SipUserAgent, uri: string): Promise<SipCallEvent> {
  return new Promise((resolve) => {
    const request = { target: { uri }, from: { user: 'a' }, headers: {}, offer: 'v=0\r\n' };
    agent.invite({ ...request, ringTimeoutMs: 60_000 }, resolve);
  });
}

test('a TCP port where nobody listens fails with 503', limits, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const agent = await openSipUserAgent(options);
  const event = await dial(agent, `sip:a@127.0.0.1:${port};transport=tcp`);
  assert.deepEqual(event, { kind: 'failed', status: 503, reason: 'Not reachable' });
  await agent.close();
});

test('two calls to one TCP peer share a connection, and names are looked up', limits, async () => {
  let connections = 0;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    connections += 1;
    sockets.push(socket);
    socket.on('data', (chunk) => refuse(socket, chunk.toString()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = await openSipUserAgent(options);
  const uri = `sip:a@localhost:${port};transport=tcp`;
  for (let i = 0; i < 2; i += 1) {
    const event = await dial(agent, uri);
    assert.ok(event.kind === 'failed' && event.status === 486);
  }
  assert.equal(connections, 1);
  await agent.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Answers every INVITE with 486, in two pieces, so that the stream has to be put together. */
function refuse(socket: Socket, text: string): void {
  for (const answer of refusals(text)) {
    socket.write(answer.slice(0, 30));
    socket.write(answer.slice(30));
  }
}

function refusals(text: string): string[] {
  const invites = text.split(/(?=INVITE sip:)/).filter((part) => part.startsWith('INVITE'));
  return invites.map((invite) => {
    const copied = invite
      .split('\r\n')
      .filter((line) => /^(via|from|to|call-id|cseq):/i.test(line))
      .map((line) => (/^to:/i.test(line) ? `${line};tag=x` : line));
    return ['SIP/2.0 486 Busy', ...copied, 'l: 0', '', ''].join('\r\n');
  });
}

test('IPv6 peers are reached over UDP and TCP, IPv4 ones as well', limits, async () => {
  const peer = createSocket('udp6');
  peer.on('message', (bytes, from) => {
    for (const text of refusals(bytes.toString())) peer.send(text, from.port, from.address);
  });
  peer.bind(0, '::');
  await once(peer, 'listening');
  const server = createServer((socket) => {
    socket.on('data', (chunk) => refuse(socket, chunk.toString()));
  }).listen(0, '::1');
  await once(server, 'listening');
  const agent = await openSipUserAgent({ ...options, bindAddress: '::' });
  const { port } = server.address() as AddressInfo;
  const uris = [
    `sip:a@[::1]:${peer.address().port}`,
    `sip:a@127.0.0.1:${peer.address().port};transport=udp`,
    `sip:a@[::1]:${port};transport=tcp`,
  ];
  for (const uri of uris) {
    const event = await dial(agent, uri);
    assert.ok(event.kind === 'failed' && event.status === 486, `${uri}: ${JSON.stringify(event)}`);
  }
  await agent.close();
  peer.close();
  server.close();
});

test('a keep-alive on a connection of ours is answered', limits, async () => {
  const agent = await openSipUserAgent(options);
  const socket = connect(agent.ports.tcp, '127.0.0.1');
  socket.write('\r\n\r\n');
  const [answered] = (await once(socket, 'data')) as [Buffer];
  assert.equal(answered.toString(), '\r\n');
  socket.destroy();
  await agent.close();
});

test('closing twice is closing once, and a call placed afterwards fails', limits, async () => {
  const agent = await openSipUserAgent(options);
  await Promise.all([agent.close(), agent.close()]);
  const event = await dial(agent, 'sip:a@127.0.0.1');
  assert.ok(event.kind === 'failed' && event.status === 503);
  assert.equal(agent.liveCount(), 0);
});

test('TCP that is switched off, and a name nobody knows, fail with 503', limits, async () => {
  const agent = await openSipUserAgent({ ...options, tcp: false });
  for (const uri of ['sip:a@127.0.0.1:9;transport=tcp', 'sip:a@nobody.invalid']) {
    const event = await dial(agent, uri);
    assert.ok(event.kind === 'failed' && event.status === 503, uri);
  }
  await agent.close();
});

test('a port that is taken rejects instead of ending the process', limits, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await assert.rejects(openSipUserAgent({ ...options, udpPort: port }), /EADDRINUSE/);
  server.close();
});
