import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { after, before, test } from 'node:test';
import { PBX_CERTIFICATE, PBX_KEY, TEST_AUTHORITY } from '../../test/certificates.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { SipCallEvent, SipTls } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

/** A PBX behind TLS that is busy, and a user agent that must know whom it speaks to. */
const limits = { timeout: 120_000 };
let server: Server;
let port = 0;
let asked: string[] = [];
const sockets = new Set<TLSSocket>();

before(async () => {
  const options = {
    cert: PBX_CERTIFICATE,
    key: PBX_KEY,
    SNICallback: (name: string, done: (error: null) => void) => {
      asked.push(name);
      done(null);
    },
  };
  server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => answerBusy(socket, chunk.toString()));
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});

after(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

function answerBusy(socket: TLSSocket, text: string): void {
  if (!text.startsWith('INVITE')) return;
  const copied = text.split('\r\n').filter((line) => /^(via|from|to|call-id|cseq):/i.test(line));
  const tagged = copied.map((line) => (/^to:/i.test(line) ? `${line};tag=x` : line));
  socket.write(['SIP/2.0 486 Busy Here', ...tagged, 'l: 0', '', ''].join('\r\n'));
}

async function dial(uri: string, tls: SipTls | undefined): Promise<SipCallEvent> {
  asked = [];
  const agent = await openSipUserAgent({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    tcp: true,
    ...(tls === undefined ? {} : { tls }),
  });
  const event = await new Promise<SipCallEvent>((resolve) => {
    const order = { target: { uri }, from: { user: 'a' }, headers: {}, offer: 'v=0\r\n' };
    agent.invite({ ...order, ringTimeoutMs: 60_000 }, resolve);
  });
  await agent.close();
  return event;
}

const OURS = { authorities: TEST_AUTHORITY };
const isBusy = (event: SipCallEvent): boolean => event.kind === 'failed' && event.status === 486;
const isUnreachable = (event: SipCallEvent): boolean =>
  event.kind === 'failed' && event.status === 503;

test('a call over TLS to a peer of our own authority, asked for by name', limits, async () => {
  assert.ok(isBusy(await dial(`sip:a@localhost:${port};transport=tls`, OURS)));
  assert.deepEqual(asked, ['localhost']);
});

test('a sips: URI means TLS', limits, async () => {
  assert.ok(isBusy(await dial(`sips:a@localhost:${port}`, OURS)));
});

test('a peer that is called by its address must have the address in its certificate', async () => {
  assert.ok(isBusy(await dial(`sip:a@127.0.0.1:${port};transport=tls`, OURS)));
  assert.deepEqual(asked, []);
});

test('a certificate of an unknown authority is refused', limits, async () => {
  assert.ok(isUnreachable(await dial(`sip:a@localhost:${port};transport=tls`, undefined)));
});

test('a valid certificate of somebody else is refused', limits, async () => {
  // All of 127.0.0.0/8 leads to this server, but its certificate names 127.0.0.1 alone.
  const event = await dial(`sip:a@127.0.0.2:${port};transport=tls`, OURS);
  assert.ok(isUnreachable(event));
});

test('with a certificate of our own we listen for TLS', limits, async () => {
  const agent = await openSipUserAgent({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    tcp: true,
    tls: { certificate: PBX_CERTIFICATE, key: PBX_KEY },
    tlsPort: 0,
  });
  const own = agent.ports.tls;
  const socket = connect({ host: '127.0.0.1', port: own, ca: TEST_AUTHORITY });
  await once(socket, 'secureConnect');
  const options =
    `OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKa;rport\r\n` +
    'From: <sip:b@127.0.0.1>;tag=b\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: c\r\n' +
    'CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n';
  socket.write(options);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^SIP\/2\.0 200 OK/);
  socket.destroy();
  await agent.close();
});
