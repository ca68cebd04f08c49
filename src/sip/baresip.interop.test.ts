import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { openBaresip, until } from '../../test/baresip-peer.ts';
import { needsProgram } from '../../test/peers.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { SipCall, SipCallEvent, SipUserAgent } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

const skip = needsProgram('baresip', 'baresip-core');
const HOST = '127.0.0.1';

for (const transport of ['udp', 'tcp'] as const) {
  test(`baresip answers and we hang up, over ${transport}`, { skip, timeout: 120_000 }, () =>
    withBaresip(async (phone) => {
      const { call, events, media } = await phone.call(transport);
      const answered = events.find(({ kind }) => kind === 'answered');
      assert.match(answered?.kind === 'answered' ? answered.sdp : '', /m=audio \d+ RTP\/AVP 0/);
      await until('sound from baresip', () => media.packets >= 10);
      call.hangUp('Q.850;cause=16;text="done"');
      await until('the end', () => phone.output().includes('session closed'));
      assert.deepEqual(events.at(-1), { kind: 'ended', by: 'us' });
    }),
  );

  test(`baresip holds, resumes and hangs up, over ${transport}`, { skip, timeout: 120_000 }, () =>
    withBaresip(async (phone) => {
      const { events, media } = await phone.call(transport, (event) => {
        if (event.kind === 'offered') event.reply({ sdp: offer(media.port, 2) });
      });
      const offers = (): (string | undefined)[] =>
        events.flatMap((event) =>
          event.kind === 'offered' ? [/a=(sendonly|inactive|sendrecv)/.exec(event.sdp)?.[1]] : [],
        );
      await phone.control('hold');
      await until('the hold offer', () => offers().length === 1);
      await phone.control('resume');
      await until('the resume offer', () => offers().length === 2);
      assert.match(offers()[0] ?? '', /sendonly|inactive/);
      assert.match(offers()[1] ?? 'sendrecv', /sendrecv/);
      await phone.control('hangup');
      await until('the BYE', () => events.at(-1)?.kind === 'ended');
      assert.equal(events.filter(({ kind }) => kind === 'ended').length, 1);
      assert.match(JSON.stringify(events.at(-1)), /"by":"endpoint"/);
    }),
  );
}

type Media = { port: number; packets: number };
type Phone = {
  call(
    transport: 'udp' | 'tcp',
    onEvent?: (event: SipCallEvent) => void,
  ): Promise<{ call: SipCall; events: SipCallEvent[]; media: Media }>;
  control(command: string): Promise<void>;
  output(): string;
};

function offer(port: number, version: number): string {
  return [
    'v=0',
    `o=- 1 ${version} IN IP4 ${HOST}`,
    's=-',
    `c=IN IP4 ${HOST}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n');
}

async function withBaresip(story: (phone: Phone) => Promise<void>): Promise<void> {
  const peer = await openBaresip();
  const parts = { clock: systemClock, random: systemRandom, log: silentLog };
  const agent = await openSipUserAgent({ ...parts, bindAddress: HOST, tcp: true });
  const rtp = createSocket('udp4').bind(0, HOST);
  try {
    await once(rtp, 'listening');
    await story({
      call: (transport, onEvent) =>
        placeCall(agent, `${peer.uri};transport=${transport}`, rtp, onEvent),
      control: peer.control,
      output: peer.output,
    });
  } finally {
    await agent.close();
    rtp.close();
    await peer.close();
  }
}

async function placeCall(
  agent: SipUserAgent,
  uri: string,
  rtp: Socket,
  onEvent: (event: SipCallEvent) => void = () => undefined,
): ReturnType<Phone['call']> {
  const media: Media = { port: rtp.address().port, packets: 0 };
  rtp.on('message', () => (media.packets += 1));
  const events: SipCallEvent[] = [];
  const call = agent.invite(
    {
      target: { uri },
      from: { user: '4930123', displayName: 'Askfirst' },
      headers: { 'X-WA-Call-Id': 'call_1' },
      offer: offer(media.port, 1),
      ringTimeoutMs: 60_000,
    },
    (event) => {
      events.push(event);
      onEvent(event);
    },
  );
  await until('the answer', () => events.some(({ kind }) => kind === 'answered'));
  return { call, events, media };
}
