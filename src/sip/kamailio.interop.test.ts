import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/baresip-peer.ts';
import { PBX_CERTIFICATE, PBX_KEY, TEST_AUTHORITY } from '../../test/certificates.ts';
import { openKamailio, type KamailioOptions } from '../../test/kamailio-peer.ts';
import { needsProgram } from '../../test/peers.ts';
import { freePort, startSipp, untilListening } from '../../test/sipp-peer.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { SipCall, SipCallEvent, SipTarget, SipUserAgent } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

/** Calls through a Kamailio that checks our digest and stays in the route, to a SIPp behind it. */
const skip =
  needsProgram('kamailio', 'kamailio kamailio-tls-modules') || needsProgram('sipp', 'sip-tester');
const OFFER =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n' +
  'm=audio 40002 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';
const REALM = 'pbx.test';

type Case = {
  transport: 'udp' | 'tcp' | 'tls';
  algorithm: KamailioOptions['algorithm'];
  /** What the phone behind it plays. */
  scenario: 'behind-proxy' | 'hangs-up-behind-proxy';
};

const CASES: readonly Case[] = [
  { transport: 'udp', algorithm: 'MD5', scenario: 'behind-proxy' },
  { transport: 'udp', algorithm: 'SHA-256', scenario: 'hangs-up-behind-proxy' },
  { transport: 'tcp', algorithm: 'SHA-256', scenario: 'behind-proxy' },
  { transport: 'tcp', algorithm: 'MD5', scenario: 'hangs-up-behind-proxy' },
  { transport: 'tls', algorithm: 'SHA-256', scenario: 'behind-proxy' },
  { transport: 'tls', algorithm: 'SHA-256', scenario: 'hangs-up-behind-proxy' },
];

for (const one of CASES) {
  const name = `Kamailio: ${one.transport}, ${one.algorithm}, ${one.scenario}`;
  test(name, { skip, timeout: 40_000 }, () => throughKamailio(one));
}

test('Kamailio refuses a wrong password, and we do not try again', { skip, timeout: 40_000 }, () =>
  withKamailio('MD5', 9, async (agent, targetOf) => {
    const { told } = await place(agent, { ...targetOf('udp'), password: 'wrong' });
    assert.deepEqual(told, ['failed 407']);
  }),
);

async function throughKamailio({ transport, algorithm, scenario }: Case): Promise<void> {
  const phonePort = await freePort();
  const phone = startSipp(scenario, 'udp', phonePort);
  try {
    await untilListening('udp', phonePort);
    await withKamailio(algorithm, phonePort, async (agent, targetOf, output) => {
      const weEnd = scenario === 'behind-proxy';
      const { told } = await place(agent, targetOf(transport), (call) => {
        if (weEnd) call.hangUp('Q.850;cause=16');
      });
      const expected = ['ringing', 'answered', weEnd ? 'ended by us' : 'ended by endpoint'];
      assert.deepEqual(told, expected, output());
      const { code, output: said } = await phone.done;
      assert.equal(code, 0, said);
    });
  } finally {
    phone.stop();
  }
}

type Story = (
  agent: SipUserAgent,
  targetOf: (transport: Case['transport']) => SipTarget,
  output: () => string,
) => Promise<void>;

async function withKamailio(
  algorithm: KamailioOptions['algorithm'],
  phonePort: number,
  story: Story,
): Promise<void> {
  const kamailio = await openKamailio({ phonePort, algorithm, realm: REALM, password: 'secret' });
  const agent = await openSipUserAgent({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    tcp: true,
    tls: { authorities: TEST_AUTHORITY, certificate: PBX_CERTIFICATE, key: PBX_KEY },
  });
  try {
    let there = false;
    const health = { uri: `sip:127.0.0.1:${kamailio.port};transport=tcp` };
    const ask = (): void =>
      void agent.options(health, 500).then(({ status }) => {
        there = status === 200;
        if (!there) systemClock.after(50, ask);
      });
    ask();
    await until('Kamailio', () => there);
    const portOf = { udp: kamailio.port, tcp: kamailio.port, tls: kamailio.tlsPort };
    const targetOf = (transport: Case['transport']): SipTarget => ({
      uri: `sip:100@127.0.0.1:${portOf[transport]};transport=${transport}`,
      username: 'askfirst',
      password: 'secret',
      realm: REALM,
    });
    await story(agent, targetOf, kamailio.output);
  } finally {
    await agent.close();
    await kamailio.close();
  }
}

function place(
  agent: SipUserAgent,
  target: SipTarget,
  onAnswered: (call: SipCall) => void = () => undefined,
): Promise<{ told: string[] }> {
  const told: string[] = [];
  const request = { target, from: { user: '4930123' }, headers: {}, offer: OFFER };
  return new Promise((resolve) => {
    const call = agent.invite({ ...request, ringTimeoutMs: 15_000 }, (event) => {
      told.push(nameOf(event));
      if (event.kind === 'answered') queueMicrotask(() => onAnswered(call));
      if (event.kind === 'failed' || event.kind === 'ended') resolve({ told });
    });
  });
}

function nameOf(event: SipCallEvent): string {
  if (event.kind === 'failed') return `failed ${event.status}`;
  return event.kind === 'ended' ? `ended by ${event.by}` : event.kind;
}
