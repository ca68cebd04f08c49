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
import type {
  InviteRequest,
  Referral,
  SipCall,
  SipCallEvent,
  SipTarget,
  SipUserAgent,
} from './sip.ts';
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
  test(name, { skip, timeout: 120_000 }, () => throughKamailio(one));
}

test('Kamailio refuses a wrong password, and we do not try again', { skip, timeout: 120_000 }, () =>
  withKamailio('MD5', 9, async (agent, targetOf) => {
    const { told } = await place(agent, { ...targetOf('udp'), password: 'wrong' });
    assert.deepEqual(told, ['failed 407']);
  }),
);

for (const transport of ['udp', 'tcp', 'tls'] as const) {
  test(`Kamailio: ${transport}, the PBX transfers after a word with the other desk`, { skip }, () =>
    theirTransfer(transport),
  );
  test(`Kamailio: ${transport}, we transfer after a word with the other desk`, { skip }, () =>
    ourTransfer(transport),
  );
}

/** Its REFER names the dialog that our new call has to take the place of (RFC 3891). */
async function theirTransfer(transport: Case['transport']): Promise<void> {
  const [phonePort, otherPort] = [await freePort(), await freePort()];
  const phones: ReturnType<typeof startSipp>[] = [];
  const story: Story = async (agent, targetOf) => {
    const target = targetOf(transport);
    const words = { desk: target.uri.replace('100@', '200@') };
    phones.push(
      startSipp('peer-attended-behind-proxy', 'udp', phonePort, { words }),
      startSipp('replaced-behind-proxy', 'udp', otherPort),
    );
    await Promise.all([phonePort, otherPort].map((port) => untilListening('udp', port)));
    let second: Promise<{ told: string[] }> | undefined;
    const first = await place(agent, target, (_, event) => {
      if (event.kind !== 'referred') return;
      const { target: uri, replaces, referredBy } = event;
      assert.ok(replaces !== undefined && referredBy !== undefined);
      event.accept();
      event.notify(180, 'Ringing');
      second = place(agent, { ...target, uri }, talkTo(event), { replaces, referredBy });
    });
    assert.deepEqual(first.told, ['ringing', 'answered', 'referred', 'ended by endpoint']);
    assert.deepEqual((await second)?.told, ['ringing', 'answered', 'ended by us']);
    await allWell(phones);
  };
  await withPhones(phones, () => withKamailio('SHA-256', phonePort, story, otherPort));
}

/** The other desk has answered: that is told, and after what the first still says we hang up. */
function talkTo(referral: Referral): OnEvent {
  return (call, event) => {
    if (event.kind !== 'answered') return;
    referral.notify(200, 'OK');
    systemClock.after(300, () => call.hangUp('Q.850;cause=16'));
  };
}

/** Two calls of ours, and a REFER to the one with the other's dialog in it. */
async function ourTransfer(transport: Case['transport']): Promise<void> {
  const [phonePort, otherPort] = [await freePort(), await freePort()];
  const phones: ReturnType<typeof startSipp>[] = [];
  const story: Story = async (agent, targetOf) => {
    phones.push(
      startSipp('our-attended-behind-proxy', 'udp', phonePort),
      startSipp('hangs-up-behind-proxy', 'udp', otherPort, { pauseMs: 800 }),
    );
    await Promise.all([phonePort, otherPort].map((port) => untilListening('udp', port)));
    const target = targetOf(transport);
    const uri = target.uri.replace('100@', '200@');
    const progress: number[] = [];
    let second: Promise<{ told: string[] }> | undefined;
    const first = await place(agent, target, (call, event) => {
      if (event.kind === 'answered') {
        second = place(agent, { ...target, uri }, (other, { kind }) => {
          if (kind === 'answered') call.refer(uri, other.replaceable());
        });
      }
      if (event.kind !== 'referProgress') return;
      progress.push(event.status);
      if (event.final) call.hangUp('Q.850;cause=16');
    });
    assert.deepEqual(progress, [202, 100, 200]);
    assert.equal(first.told.at(-1), 'ended by us');
    // A desk whose dialog was replaced hangs up the one before.
    assert.deepEqual((await second)?.told, ['ringing', 'answered', 'ended by endpoint']);
    await allWell(phones);
  };
  await withPhones(phones, () => withKamailio('MD5', phonePort, story, otherPort));
}

async function withPhones(
  phones: readonly ReturnType<typeof startSipp>[],
  story: () => Promise<void>,
): Promise<void> {
  try {
    await story();
  } finally {
    for (const phone of phones) phone.stop();
  }
}

async function allWell(phones: readonly ReturnType<typeof startSipp>[]): Promise<void> {
  for (const { done } of phones) {
    const { code, output } = await done;
    assert.equal(code, 0, output);
  }
}

async function throughKamailio({ transport, algorithm, scenario }: Case): Promise<void> {
  const phonePort = await freePort();
  const phone = startSipp(scenario, 'udp', phonePort);
  try {
    await untilListening('udp', phonePort);
    await withKamailio(algorithm, phonePort, async (agent, targetOf, output) => {
      const weEnd = scenario === 'behind-proxy';
      const { told } = await place(agent, targetOf(transport), (call, { kind }) => {
        if (weEnd && kind === 'answered') call.hangUp('Q.850;cause=16');
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
  otherPort = phonePort,
): Promise<void> {
  const phones = { phonePort, otherPort };
  const kamailio = await openKamailio({ ...phones, algorithm, realm: REALM, password: 'secret' });
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

type OnEvent = (call: SipCall, event: SipCallEvent) => void;

function place(
  agent: SipUserAgent,
  target: SipTarget,
  onEvent: OnEvent = () => undefined,
  more: Pick<InviteRequest, 'replaces' | 'referredBy'> = {},
): Promise<{ told: string[] }> {
  const told: string[] = [];
  const request = { target, from: { user: '4930123' }, headers: {}, offer: OFFER, ...more };
  return new Promise((resolve) => {
    const call = agent.invite({ ...request, ringTimeoutMs: 60_000 }, (event) => {
      told.push(nameOf(event));
      queueMicrotask(() => onEvent(call, event));
      if (event.kind === 'failed' || event.kind === 'ended') resolve({ told });
    });
  });
}

function nameOf(event: SipCallEvent): string {
  if (event.kind === 'failed') return `failed ${event.status}`;
  return event.kind === 'ended' ? `ended by ${event.by}` : event.kind;
}
