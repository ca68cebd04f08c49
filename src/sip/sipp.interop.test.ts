import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsProgram } from '../../test/peers.ts';
import { freePort, startSipp, untilListening } from '../../test/sipp-peer.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { InviteRequest, SipCall, SipCallEvent } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

const OFFER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n';
const AUDIO = 'm=audio 40002 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';
const skip = needsProgram('sipp', 'sip-tester');

type Transport = 'udp' | 'tcp';
type Told = SipCallEvent['kind'] | `failed ${number}` | 'ended by us' | 'ended by endpoint';

type Story = {
  scenario: string;
  request?: Partial<Omit<InviteRequest, 'target'>>;
  password?: string;
  onAnswered?: (call: SipCall) => void;
  onEvent?: (call: SipCall, event: SipCallEvent) => void;
  told: readonly Told[];
};

const STORIES: readonly Story[] = [
  {
    scenario: 'answer',
    onAnswered: (call) => call.hangUp('Q.850;cause=16;text="customer hung up"'),
    told: ['ringing', 'answered', 'ended by us'],
  },
  { scenario: 'bye-by-peer', told: ['answered', 'ended by endpoint'] },
  { scenario: 'busy', told: ['failed 486'] },
  { scenario: 'unavailable', told: ['failed 503'] },
  { scenario: 'no-answer', request: { ringTimeoutMs: 3_000 }, told: ['ringing', 'failed 408'] },
  {
    scenario: 'digest-401',
    password: 'secret',
    onAnswered: (call) => call.hangUp(),
    told: ['answered', 'ended by us'],
  },
  {
    scenario: 'digest-407',
    password: 'secret',
    onAnswered: (call) => call.hangUp(),
    told: ['answered', 'ended by us'],
  },
  {
    scenario: 'early-media',
    onAnswered: (call) => call.hangUp(),
    told: ['ringing', 'ringing', 'answered', 'ended by us'],
  },
  {
    // The same phone as for the ring time-out: only who gives up differs.
    scenario: 'no-answer',
    onEvent: (call, { kind }) => kind === 'ringing' && call.hangUp('Q.850;cause=16'),
    told: ['ringing', 'ended by us'],
  },
  {
    scenario: 'peer-reinvite',
    onEvent: (_, event) => event.kind === 'offered' && event.reply({ sdp: OFFER + AUDIO }),
    told: ['answered', 'offered', 'offered', 'ended by endpoint'],
  },
  {
    scenario: 'our-reinvite',
    onAnswered: (call) => {
      void call.reoffer(`${OFFER}${AUDIO}a=sendonly\r\n`).then((outcome) => {
        if ('sdp' in outcome && outcome.sdp.includes('a=recvonly')) call.hangUp();
      });
    },
    told: ['answered', 'ended by us'],
  },
  {
    scenario: 'peer-refer',
    onEvent: (_, event) => {
      if (event.kind !== 'referred') return;
      event.accept();
      systemClock.after(200, () => event.notify(200, 'OK'));
    },
    told: ['answered', 'referred', 'ended by endpoint'],
  },
  {
    scenario: 'our-refer',
    onAnswered: (call) => call.refer('sip:200@pbx.example.com'),
    onEvent: (call, event) => {
      if (event.kind === 'referProgress' && event.final && event.status === 200) call.hangUp();
    },
    told: ['answered', 'referProgress', 'referProgress', 'referProgress', 'ended by us'],
  },
  {
    scenario: 'lost-ack',
    onEvent: (call, { kind }) => kind === 'answerRepeated' && call.hangUp(),
    told: ['answered', 'answerRepeated', 'ended by us'],
  },
  {
    // Its key says that the other one of its phones is done.
    scenario: 'forked',
    onEvent: hangUpAtKey,
    told: ['answered', 'infoDtmf', 'ended by us'],
  },
  {
    scenario: 'reliable',
    onAnswered: (call) => call.hangUp(),
    told: ['ringing', 'answered', 'ended by us'],
  },
  {
    scenario: 'session-timer',
    onEvent: hangUpAtKey,
    told: ['answered', 'infoDtmf', 'ended by us'],
  },
  {
    scenario: 'info',
    onEvent: (call, { kind }) => void (kind === 'infoDtmf' && call.sendInfoDtmf('9')),
    told: ['answered', 'infoDtmf', 'ended by endpoint'],
  },
];

/** After what the peer still has to say: its key is the sign. */
function hangUpAtKey(call: SipCall, { kind }: SipCallEvent): void {
  if (kind === 'infoDtmf') call.hangUp();
}

for (const transport of ['udp', 'tcp'] as const) {
  for (const story of STORIES) {
    const end = story.told.at(-1) ?? '';
    test(
      `SIPp plays ${story.scenario}, ${end}, over ${transport}`,
      { skip, timeout: 120_000 },
      () => play(story, transport),
    );
  }
}

async function play(story: Story, transport: Transport): Promise<void> {
  const port = await freePort();
  const peer = startSipp(story.scenario, transport, port);
  const agent = await openSipUserAgent({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    tcp: true,
  });
  try {
    await untilListening(transport, port);
    const told: string[] = [];
    const ended = new Promise<void>((resolve) => {
      const call = agent.invite(inviteFor(story, transport, port), (event) => {
        // Over UDP SIPp takes our second ACK for the first one again, and answers once more.
        if (told.at(-1) !== 'answerRepeated' || event.kind !== 'answerRepeated') {
          told.push(nameOf(event));
        }
        if (event.kind === 'answered') queueMicrotask(() => story.onAnswered?.(call));
        queueMicrotask(() => story.onEvent?.(call, event));
        if (event.kind === 'failed' || event.kind === 'ended') resolve();
      });
    });
    // A peer that gives the scenario up would leave the call waiting for ever.
    await Promise.race([ended, peer.done]);
    const { code, output } = await peer.done;
    assert.deepEqual(told, story.told);
    assert.equal(code, 0, output);
  } finally {
    peer.stop();
    await agent.close();
  }
}

function inviteFor(story: Story, transport: Transport, port: number): InviteRequest {
  const credentials =
    story.password === undefined ? {} : { username: 'gateway', password: story.password };
  return {
    target: { uri: `sip:100@127.0.0.1:${port};transport=${transport}`, ...credentials },
    from: { user: 'gateway', displayName: 'Ask "first"' },
    headers: { 'X-WA-Call-Id': 'call_1' },
    offer: OFFER + AUDIO,
    ringTimeoutMs: 60_000,
    ...story.request,
  };
}

function nameOf(event: SipCallEvent): string {
  if (event.kind === 'failed') return `failed ${event.status}`;
  return event.kind === 'ended' ? `ended by ${event.by}` : event.kind;
}
