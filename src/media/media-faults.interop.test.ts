import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openMetaPeer, type MetaPeer } from '../../test/meta-peer.ts';
import { until } from '../../test/real-time.ts';
import { openRtpPeer } from '../../test/rtp-peer.ts';
import { openStranger } from '../../test/stranger.ts';
import { delay, repeat, systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { MediaCall, MediaEvent } from './media.ts';
import { openMediaPlane, type EmbeddedMediaPlane, type MediaPlaneOptions } from './media-plane.ts';

/** T-01 asks for 200 of 200: `npm run prove -- client-hello-spray`. */
const SPRAYED_CALLS = Number(process.env['ASKFIRST_SPRAYED_CALLS'] ?? 10);

test('a spray of ClientHellos from a stranger does not disturb the set-up', async (t) => {
  const first = 24_400;
  const plane = await openPlane(t, { portRange: { first, last: first + 19 } });
  const stranger = await openStranger(t);
  for (let turn = 0; turn < SPRAYED_CALLS; turn += 1) {
    const call = await plane.openCall({ callId: `spray${turn}`, onEvent: () => {} });
    const customer = await openCustomer(t, call.offer);
    const stopSpraying = repeat(systemClock, 2, async () => {
      // The stranger does not know the port, so all of the range gets it.
      for (let port = first; port < first + 20; port += 1) {
        stranger.socket.send(CLIENT_HELLO, port, '127.0.0.1');
      }
    });
    await delay(systemClock, 10);
    await call.applyAnswer(customer.answer);
    await customer.connected;
    await until(() => customer.received.length > 2);
    await stopSpraying();
    await call.close();
  }
  assert.equal(stranger.heard(), 0);
});

test('an answer with the fingerprint of somebody else ends in `lost`, without media', async (t) => {
  const plane = await openPlane(t, {});
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: 'forged', onEvent: (event) => events.push(event) });
  const customer = await openCustomer(t, call.offer);
  const forged = customer.answer.replace(/(sha-256 )(..)/, (_, name, pair) => {
    return `${name}${pair === '00' ? '01' : '00'}`;
  });
  await call.applyAnswer(forged);
  await until(() => events.length > 0);
  assert.deepEqual(events, [{ kind: 'lost', cause: 'media_dtls_failed' }]);
  assert.equal(customer.received.length, 0);
  await call.close();
});

test('an answer that nobody stands behind ends in media_connect_timeout', async (t) => {
  const plane = await openPlane(t, { connectTimeoutMs: 300 });
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: 'nobody', onEvent: (event) => events.push(event) });
  const customer = await openCustomer(t, call.offer);
  const silent = await openRtpPeer();
  const nobody = customer.answer.replace(/127\.0\.0\.1 \d+ typ/, `127.0.0.1 ${silent.port} typ`);
  await call.applyAnswer(nobody);
  await until(() => events.length > 0);
  assert.deepEqual(events, [{ kind: 'lost', cause: 'media_connect_timeout' }]);
  await call.close();
  silent.close();
});

test('a forged datagram that ends the DTLS session is media_transport_lost', async (t) => {
  const plane = await openPlane(t, {});
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: 'gone', onEvent: (event) => events.push(event) });
  const customer = await openCustomer(t, call.offer);
  await call.applyAnswer(customer.answer);
  await customer.connected;
  await until(() => events.some(({ kind }) => kind === 'connected'));
  // Too short an encrypted record: the engine's OpenSSL answers it with a fatal alert.
  await customer.sendRaw(Buffer.from('17fefd000100000000000500050102030405', 'hex'));
  await until(() => events.some(({ kind }) => kind === 'lost'));
  assert.deepEqual(events.at(-1), { kind: 'lost', cause: 'media_transport_lost' });
  await call.close();
});

test('a killed worker loses its calls, and a new one takes over', async (t) => {
  const plane = await openPlane(t, {});
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: 'killed', onEvent: (event) => events.push(event) });
  const [pid] = plane.workerPids();
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGKILL');
  await until(() => events.length > 0);
  assert.deepEqual(events, [{ kind: 'lost', cause: 'media_worker_died' }]);
  await assert.rejects(call.stats(), { code: 'media_worker_died' });
  assert.equal((await call.close()).whatsapp.packetsOut, 0);
  assert.equal(plane.liveCalls(), 0);

  let next: MediaCall | undefined;
  await until(() => {
    void plane
      .openCall({ callId: 'next', onEvent: () => {} })
      .then((opened) => {
        if (next === undefined) next = opened;
        else void opened.close();
      })
      .catch(() => {});
    return next !== undefined;
  });
  assert.notEqual(plane.workerPids()[0], pid);
});

test('a used-up port range refuses the call, and nothing breaks', async (t) => {
  const plane = await openPlane(t, { portRange: { first: 24_500, last: 24_502 } });
  // The probe's port comes back shortly after the start.
  await until(() => plane.portsInUse() === 0);
  const calls: MediaCall[] = [];
  for (const callId of ['one', 'two', 'three']) {
    calls.push(await plane.openCall({ callId, onEvent: () => {} }));
  }
  const more = plane.openCall({ callId: 'four', onEvent: () => {} });
  await assert.rejects(more, { code: 'media_no_capacity', verdict: 'retryable' });
  const endpoint = calls[0]?.openEndpoint({
    codecs: ['PCMU'],
    advertisedAddress: '127.0.0.1',
    srtp: false,
  });
  await assert.rejects(endpoint ?? Promise.resolve(), { code: 'media_no_capacity' });
  assert.equal(plane.liveCalls(), 3);
  await Promise.all(calls.map((call) => call.close()));
  await until(() => plane.portsInUse() === 0);
});

test('a full worker refuses further calls until one ends', async (t) => {
  const plane = await openPlane(t, { callsPerWorker: 2 });
  const open = (): Promise<MediaCall> => plane.openCall({ callId: 'x', onEvent: () => {} });
  const [first] = await Promise.all([open(), open()]);
  await assert.rejects(open(), { code: 'media_no_capacity' });
  await first?.close();
  await (await open()).close();
});

test('a worker leaves at once when its parent is gone', async () => {
  const settings = { bindAddress: '127.0.0.1', connectTimeoutMs: 1, silentAfterMs: 1 };
  const file = fileURLToPath(new URL('./media-worker-main.ts', import.meta.url));
  const worker = fork(file, [JSON.stringify({ ...settings, logLevel: 'silent' })]);
  await new Promise((resolve) => worker.once('message', resolve));
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  // What the channel of a killed parent does.
  worker.disconnect();
  assert.equal(await gone, 0);
});

test('ports held by other programs are stepped over', async (t) => {
  const held = await Promise.all([24_510, 24_511, 24_512].map(bound));
  const plane = await openPlane(t, { portRange: { first: 24_510, last: 24_513 } });
  await until(() => plane.portsInUse() === 0);
  const call = await plane.openCall({ callId: 'fits', onEvent: () => {} });
  assert.match(call.offer, /^v=0\r\n/);
  await call.close();
  for (const socket of held) socket.close();
});

test('an address that is not ours is one clear Failure at the start', async (t) => {
  await assert.rejects(openPlane(t, { bindAddress: '192.0.2.1' }), {
    code: 'media_engine_unusable',
    verdict: 'terminal',
  });
  await assert.rejects(openPlane(t, { bindAddress: 'nonsense' }), {
    code: 'media_engine_unusable',
  });
});

test('a hundred calls opened and closed leave nothing behind', async (t) => {
  const plane = await openPlane(t, { portRange: { first: 24_700, last: 24_999 } });
  for (let round = 0; round < 20; round += 1) {
    const opened = await Promise.all(
      [1, 2, 3, 4, 5].map((call) => plane.openCall({ callId: `${call}`, onEvent: () => {} })),
    );
    await Promise.all(
      opened.map((call) =>
        call.openEndpoint({ codecs: ['opus'], advertisedAddress: '127.0.0.1', srtp: false }),
      ),
    );
    await Promise.all(opened.map((call) => call.close()));
  }
  assert.equal(plane.liveCalls(), 0);
  await until(() => plane.portsInUse() === 0);
  const pids = plane.workerPids();
  await plane.close();
  await until(() => pids.every((pid) => !isAlive(pid)));
});

/** A plane that ends with the test, also when an assertion failed before. */
async function openPlane(
  t: TestContext,
  options: Partial<MediaPlaneOptions>,
): Promise<EmbeddedMediaPlane> {
  const plane = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    portRange: { first: 24_600, last: 24_699 },
    workers: 1,
    callsPerWorker: 50,
    ...options,
  });
  t.after(() => plane.close());
  return plane;
}

/** DTLS 1.2 ClientHello (RFC 6347 section 4.2), epoch 0, no known cipher: what a scanner sends. */
const CLIENT_HELLO = Buffer.concat([
  // Record: handshake, version, epoch and sequence 0, length 54.
  Buffer.from('16fefd00000000000000000036', 'hex'),
  // Handshake: ClientHello, length 42, message 0, one fragment of all 42 bytes.
  Buffer.from('0100002a000000000000002a', 'hex'),
  Buffer.from('fefd', 'hex'),
  Buffer.alloc(32, 7),
  // No session, no cookie, cipher 0x0000, no compression.
  Buffer.from('0000000200000100', 'hex'),
]);

async function openCustomer(t: TestContext, offer: string): Promise<MetaPeer> {
  const customer = await openMetaPeer(offer);
  t.after(() => customer.close());
  return customer;
}

function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.bind(port, '127.0.0.1', () => resolve(socket));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
