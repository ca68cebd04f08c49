import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { test } from 'node:test';
import { PBX_CERTIFICATE, PBX_KEY, TEST_AUTHORITY } from '../../test/certificates.ts';
import { openDemoPbx } from '../../simulator/pbx/pbx.ts';
import { ManualClock, systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { probeEndpoint } from './endpoint-probe.ts';

const random = seededRandom(1);
const ports = { clock: systemClock, random, bindAddress: '127.0.0.1' };

test('the demo PBX answers over UDP', async () => {
  const pbx = await openDemoPbx({
    clock: systemClock,
    random,
    log: silentLog,
    host: '127.0.0.1',
    port: 0,
  });
  try {
    const result = await probeEndpoint(ports, `sip:talk@127.0.0.1:${pbx.port}`);
    assert.deepEqual(result, { kind: 'answered', status: 200 });
  } finally {
    await pbx.close();
  }
});

test('a PBX over TCP that wants a password is there too', async () => {
  const server = createServer((socket) => {
    socket.once('data', (bytes) => {
      assert.match(
        bytes.toString(),
        /^OPTIONS sip:.* SIP\/2\.0\r\nVia: SIP\/2\.0\/TCP 127\.0\.0\.1:/,
      );
      socket.end('SIP/2.0 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const result = await probeEndpoint(ports, `sip:q@127.0.0.1:${port};transport=tcp`);
  assert.deepEqual(result, { kind: 'answered', status: 407 });
  server.close();
});

test('a PBX behind TLS is found when its authority is known, and refused when not', async () => {
  const server = createTlsServer({ cert: PBX_CERTIFICATE, key: PBX_KEY }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const uri of [`sips:q@localhost:${port}`, `sip:q@127.0.0.1:${port};transport=tls`]) {
    const known = await probeEndpoint({ ...ports, authorities: TEST_AUTHORITY }, uri);
    assert.deepEqual(known, { kind: 'answered', status: 200 });
    assert.equal((await probeEndpoint(ports, uri)).kind, 'refused');
  }
  server.close();
});

test('a closed port and a text that is no SIP URI are refused', async () => {
  for (const uri of ['sip:q@127.0.0.1:1', 'sip:q@127.0.0.1:1;transport=tcp', 'tel:+442079460000']) {
    assert.equal((await probeEndpoint(ports, uri)).kind, 'refused', uri);
  }
});

test('silence and noise are no answer, after three seconds and two repeats', async () => {
  const clock = new ManualClock();
  const deaf = createSocket('udp4');
  deaf.bind(0, '127.0.0.1');
  await once(deaf, 'listening');
  const probing = probeEndpoint({ ...ports, clock }, `sip:q@127.0.0.1:${deaf.address().port}`);
  for (const waitMs of [500, 1_000]) {
    const [bytes, from] = (await once(deaf, 'message')) as [Buffer, { port: number }];
    assert.match(bytes.toString(), /^OPTIONS /);
    deaf.send('no SIP', from.port, '127.0.0.1');
    clock.advance(waitMs);
  }
  await once(deaf, 'message');
  clock.advance(1_500);
  assert.deepEqual(await probing, { kind: 'silent', waitedMs: 3_000 });
  assert.equal(clock.pendingTimers, 0);
  deaf.close();
});
