import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsProgram } from '../../test/peers.ts';
import { delay, systemClock } from '../platform/clock.ts';
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
  { scenario: 'no-answer', request: { ringTimeoutMs: 700 }, told: ['ringing', 'failed 408'] },
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
      event.notify(200, 'OK');
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
    onAnswered: hangUpLater,
    told: ['answered', 'ended by us'],
  },
  {
    scenario: 'forked',
    onAnswered: hangUpLater,
    told: ['answered', 'ended by us'],
  },
  {
    scenario: 'reliable',
    onAnswered: (call) => call.hangUp(),
    told: ['ringing', 'answered', 'ended by us'],
  },
  {
    scenario: 'session-timer',
    onAnswered: hangUpLater,
    told: ['answered', 'ended by us'],
  },
  {
    scenario: 'info',
    onEvent: (call, { kind }) => kind === 'infoDtmf' && call.sendInfoDtmf('9'),
    told: ['answered', 'infoDtmf', 'ended by endpoint'],
  },
];

/** After what the peer still has to say about its own answer. */
function hangUpLater(call: SipCall): void {
  systemClock.after(400, () => call.hangUp());
}

for (const transport of ['udp', 'tcp'] as const) {
  for (const story of STORIES) {
    const end = story.told.at(-1) ?? '';
    test(`SIPp plays ${story.scenario}, ${end}, over ${transport}`, { skip, timeout: 30_000 }, () =>
      play(story, transport),
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
    await new Promise<void>((resolve) => {
      const call = agent.invite(inviteFor(story, transport, port), (event) => {
        told.push(nameOf(event));
        if (event.kind === 'answered') queueMicrotask(() => story.onAnswered?.(call));
        queueMicrotask(() => story.onEvent?.(call, event));
        if (event.kind === 'failed' || event.kind === 'ended') resolve();
      });
    });
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
    ringTimeoutMs: 20_000,
    ...story.request,
  };
}

function nameOf(event: SipCallEvent): string {
  if (event.kind === 'failed') return `failed ${event.status}`;
  return event.kind === 'ended' ? `ended by ${event.by}` : event.kind;
}

function startSipp(scenario: string, transport: Transport, port: number) {
  const file = join(import.meta.dirname, '../../test/sipp', `${scenario}.xml`);
  const wanted = ['-sf', file, '-i', '127.0.0.1', '-p', `${port}`, '-m', '1'];
  const mode = ['-t', transport === 'udp' ? 'u1' : 't1', '-nostdin', '-timeout', '20s'];
  const child = spawn('sipp', [...wanted, ...mode], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const done = once(child, 'exit').then(([code]) => ({ code: code as number | null, output }));
  return { done, stop: () => child.kill('SIGKILL') };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** A refused TCP connection would fail the call, so the peer must be there first. */
async function untilListening(transport: Transport, port: number): Promise<void> {
  const place = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000`;
  // State 0A is a TCP listener, 07 a bound UDP socket.
  const wanted = `${place} ${transport === 'tcp' ? '0A' : '07'}`;
  for (let tries = 0; tries < 500; tries += 1) {
    const table = await readFile(`/proc/net/${transport}`, 'utf8').catch(() => wanted);
    if (table.includes(wanted)) return;
    await delay(systemClock, 20);
  }
  throw new Error(`SIPp does not listen on ${transport} port ${port}`);
}
