import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { openDemoPbx, type DemoPbx } from '../../simulator/pbx/pbx.ts';
import { openBaresip, until } from '../../test/baresip-peer.ts';
import { needsProgram } from '../../test/peers.ts';
import { probeEndpoint } from '../golive/endpoint-probe.ts';
import { openMediaPlane, type EmbeddedMediaPlane } from '../media/media-plane.ts';
import { delay, systemClock } from '../platform/clock.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { SipUserAgent } from '../sip/sip.ts';
import { openSipUserAgent } from '../sip/user-agent.ts';
import { DEFAULT_OPTIONS, type Endpoint, type EndpointSrtp } from './endpoint.ts';
import { OPEN_GUARD } from './target-guard.ts';
import { testEndpoint, type TargetTest } from './test-call-desk.ts';

/** Test calls with real media to real peers: what is wrong is found, and said in plain words. */
const HOST = '127.0.0.1';
const limits = { timeout: 120_000 };
const system = { clock: systemClock, random: systemRandom, log: silentLog };
let media: EmbeddedMediaPlane;
let sip: SipUserAgent;
let pbx: DemoPbx;

before(async () => {
  media = await openMediaPlane({
    ...system,
    bindAddress: HOST,
    portRange: { first: 24_200, last: 24_279 },
    workers: 1,
    callsPerWorker: 20,
    silentAfterMs: 1_500,
  });
  sip = await openSipUserAgent({ ...system, bindAddress: HOST, tcp: true });
  pbx = await openDemoPbx({ ...system, host: HOST, port: 0 });
});
after(async () => {
  await Promise.all([media.close(), sip.close(), pbx.close()]);
});

async function tested(
  uri: string,
  more: { srtp?: EndpointSrtp; codecs?: Endpoint['codecs'] } = {},
): Promise<TargetTest> {
  const { srtp = 'off', codecs = ['opus', 'PCMU', 'PCMA'] } = more;
  const target = { uri, priority: 0, weight: 1, username: null, password: null, srtp };
  const endpoint: Endpoint = {
    id: 'end_test' as EndpointId,
    accountId: 'acct_test' as AccountId,
    name: 'Desk',
    uri,
    targets: [target],
    codecs,
    strategy: 'on_answer',
    meanwhile: 'ringing',
    ringTimeoutMs: 4_000,
    options: DEFAULT_OPTIONS,
    maxCalls: null,
    minutesPerDay: null,
  };
  const whyUnreachable = async (at: string): Promise<string | null> => {
    const probed = await probeEndpoint({ ...system, bindAddress: HOST }, at);
    return probed.kind === 'refused' ? probed.reason : null;
  };
  const ports = { sip, media, clock: systemClock, advertisedAddress: HOST, whyUnreachable };
  const { targets } = await testEndpoint(ports, endpoint, OPEN_GUARD, 'test-1');
  assert.ok(targets[0] !== undefined);
  return targets[0];
}

test('an endpoint that answers and speaks is fine, and hears our tone', limits, async () => {
  const report = await tested(pbx.uri('tone-1000'));
  assert.deepEqual([report.ok, report.code, report.sipStatus], [true, 'ok', 200], report.what);
  assert.match(report.what, /PCMU|opus/);
  const [call] = pbx.calls().filter(({ user }) => user === 'tone-1000');
  assert.ok((call?.packetsIn ?? 0) > 10);
  await until('the end at the PBX', () => pbx.calls().every(({ state }) => state === 'ended'));
  assert.equal(media.liveCalls(), 0);
});

for (const [user, code] of [
  ['busy', 'busy'],
  ['unavailable', 'out_of_order'],
  ['never', 'no_answer'],
  ['bad-sdp', 'codec_refused'],
] as const) {
  test(`"${user}" is found as ${code}, with a fix`, limits, async () => {
    const report = await tested(pbx.uri(user));
    assert.deepEqual([report.ok, report.code], [false, code], report.what);
    assert.ok((report.fix ?? '').length > 10);
  });
}

test(
  'a port where nobody listens, a name without address, a telephone number',
  limits,
  async () => {
    const port = await freePort();
    assert.equal((await tested(`sip:a@${HOST}:${port};transport=tcp`)).code, 'connection_refused');
    assert.equal((await tested('sip:a@no-such-host.invalid')).code, 'dns');
    assert.equal((await tested(`sip:+4930123456@${HOST}`)).code, 'target_not_voip');
  },
);

const noSipp = needsProgram('sipp', 'sip-tester');
test(
  'an endpoint that answers and never speaks has no audio',
  { ...limits, skip: noSipp },
  async () => {
    const port = await freePort();
    const args = ['-sn', 'uas', '-i', HOST, '-p', String(port), '-mp', '24300', '-nostdin'];
    const child = spawn('sipp', args, { stdio: 'ignore' });
    try {
      await isTaken(port);
      const report = await tested(`sip:desk@${HOST}:${port}`, { codecs: ['PCMU'] });
      assert.deepEqual([report.ok, report.code], [false, 'no_audio'], report.what);
      assert.match(report.fix ?? '', /ASKFIRST_MEDIA_PORTS/);
    } finally {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  },
);

const noBaresip = needsProgram('baresip', 'baresip-core');
test('baresip is heard, in plain RTP and with SRTP', { ...limits, skip: noBaresip }, async () => {
  const plain = await openBaresip();
  try {
    const report = await tested(plain.uri, { codecs: ['PCMU', 'PCMA'] });
    assert.deepEqual([report.ok, report.code], [true, 'ok'], report.what);
    const required = await tested(plain.uri, { srtp: 'required' });
    assert.equal(required.ok, false);
  } finally {
    await plain.close();
  }
  const secure = await openBaresip({ account: ';mediaenc=srtp-mand' });
  try {
    const report = await tested(secure.uri, { srtp: 'required' });
    assert.deepEqual([report.ok, report.code], [true, 'ok'], report.what);
    assert.match(report.what, /encrypted/);
  } finally {
    await secure.close();
  }
});

/** SIPp says nothing when it is ready; its port is taken then. */
async function isTaken(port: number): Promise<void> {
  const socket = createSocket('udp4');
  const taken = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(true));
    socket.bind(port, HOST, () => resolve(false));
  });
  socket.close();
  if (taken) return;
  await delay(systemClock, 50);
  await isTaken(port);
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
