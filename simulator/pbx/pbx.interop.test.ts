import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { delay, systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { systemRandom } from '../../src/platform/random.ts';
import type { SipCall, SipCallEvent, SipUserAgent } from '../../src/sip/sip.ts';
import { openSipUserAgent } from '../../src/sip/user-agent.ts';
import { heardTones, toneSamples } from '../tone.ts';
import { openDemoPbx, type DemoPbx, type DemoPbxCall } from './pbx.ts';
import { FRAME_SAMPLES, openCodec, RATE_HZ } from './pbx-codec.ts';
import { chooseSession, writeSession, type PbxCodec } from './pbx-sdp.ts';
import { openRtpPort } from './rtp-port.ts';

const HOST = '127.0.0.1';
const limits = { timeout: 120_000 };
let pbx: DemoPbx;
let agent: SipUserAgent;

before(async () => {
  const parts = { clock: systemClock, random: systemRandom, log: silentLog };
  pbx = await openDemoPbx({ ...parts, host: HOST, port: 0 });
  agent = await openSipUserAgent({ ...parts, bindAddress: HOST, tcp: true });
});

after(async () => {
  await agent.close();
  await pbx.close();
});

test('a call to tone-1000 hears 1000 Hz, and the PBX hears tone and digits', limits, () =>
  talk('tone-1000', 'PCMU', 1000),
);

test('the same in A-law over TCP', limits, () => talk('tone-523', 'PCMA', 523, 'tcp'));

test('a user that ends with -opus gets Opus', limits, () => talk('tone-880-opus', 'opus', 880));

test('echo-only sends back what it hears', limits, () => talk('echo-only', 'PCMU', 440));

test('echo plays its greeting first', limits, async () => {
  const phone = await callWithSound('echo', 'PCMU');
  await until(() => phone.heard().some((sample) => Math.abs(sample) > 1000));
  phone.call.hangUp();
  await phone.close();
});

test('busy and unavailable refuse', limits, async () => {
  assert.deepEqual(await outcome('busy'), ['failed 486']);
  assert.deepEqual(await outcome('unavailable', 'tcp'), ['failed 503']);
});

test('never takes no call and lets it be cancelled', limits, async () => {
  assert.deepEqual(await outcome('never', 'udp', 300), ['failed 408']);
  await until(() => lastCall('never')?.state === 'ended');
});

test('garbage ends by time-out and nothing else', limits, async () => {
  assert.deepEqual(await outcome('garbage', 'udp', 300), ['failed 408']);
});

test('ring-1 rings, then answers; hangup-1 hangs up', limits, async () => {
  assert.deepEqual(await outcome('ring-1'), ['ringing', 'answered', 'ended by us']);
  const events = await outcome('hangup-1', 'tcp', 5000, () => undefined);
  assert.deepEqual(events, ['answered', 'ended by endpoint']);
});

test('bad-sdp answers with something that is no session description', limits, async () => {
  let sdp = '';
  await outcome('bad-sdp', 'udp', 5000, (call, event) => {
    if (event.kind !== 'answered') return;
    sdp = event.sdp;
    call.hangUp();
  });
  assert.match(sdp, /RTP\/AVP x/);
});

for (const transport of ['udp', 'tcp'] as const) {
  test(`hold-1 holds and resumes by re-INVITE over ${transport}`, limits, async () => {
    const directions: (string | undefined)[] = [];
    await outcome('hold-1', transport, 5000, (call, event) => {
      if (event.kind !== 'offered') return;
      directions.push(/a=(sendonly|sendrecv)/.exec(event.sdp)?.[1]);
      event.reply({ sdp: describe('PCMU', 40_000) });
      if (directions.length === 2) call.hangUp();
    });
    assert.deepEqual(directions, ['sendonly', 'sendrecv']);
    await until(() => lastCall('hold-1')?.state === 'ended');
  });
}

test('X-WA headers and the caller are in the report, and listeners are told', limits, async () => {
  let told = 0;
  const stop = pbx.onChange(() => (told += 1));
  await outcome('ring-1');
  stop();
  assert.equal(lastCall('ring-1')?.headers['x-wa-call-id'], 'call_1');
  assert.match(lastCall('ring-1')?.from ?? '', /^sip:gateway@127\.0\.0\.1/);
  assert.ok(told >= 3);
});

function describe(codec: PbxCodec, port: number): string {
  const opus = codec === 'opus';
  const session = {
    address: HOST,
    port,
    codec,
    payloadType: { opus: 111, PCMU: 0, PCMA: 8 }[codec],
    digitsPayloadType: 101,
    digitsClock: opus ? 48_000 : 8000,
  };
  return writeSession(session, {
    address: HOST,
    port,
    id: 1,
    version: 1,
    direction: 'sendrecv',
  });
}

function lastCall(user: string): DemoPbxCall | undefined {
  return pbx.calls().findLast((call) => call.user === user);
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3_000; tries += 1) {
    if (isSo()) return;
    await delay(systemClock, 20);
  }
  throw new Error('did not come about within a minute');
}

type Listener = (call: SipCall, event: SipCallEvent) => void;

function invite(user: string, transport: 'udp' | 'tcp', offer: string, ringTimeoutMs = 5000) {
  return {
    target: { uri: pbx.uri(user, transport) },
    from: { user: 'gateway' },
    headers: { 'X-WA-Call-Id': 'call_1' },
    offer,
    ringTimeoutMs,
  };
}

/** Calls without sound and tells what happened; hangs up on answer unless told otherwise. */
function outcome(
  user: string,
  transport: 'udp' | 'tcp' = 'udp',
  ringTimeoutMs = 5000,
  listener: Listener = (call, event) => {
    if (event.kind === 'answered') call.hangUp();
  },
): Promise<string[]> {
  const told: string[] = [];
  return new Promise((resolve) => {
    const request = invite(user, transport, describe('PCMU', 40_000), ringTimeoutMs);
    const call = agent.invite(request, (event) => {
      if (event.kind === 'failed') told.push(`failed ${event.status}`);
      else if (event.kind === 'ended') told.push(`ended by ${event.by}`);
      else told.push(event.kind);
      listener(call, event);
      if (event.kind === 'failed' || event.kind === 'ended') resolve(told);
    });
  });
}

/** Plays 440 Hz and digits to the PBX until both sides have heard each other. */
async function talk(
  user: string,
  codec: PbxCodec,
  expectHz: number,
  transport: 'udp' | 'tcp' = 'udp',
): Promise<void> {
  const phone = await callWithSound(user, codec, transport);
  await until(() => {
    const tail = Int16Array.from(phone.heard().slice(-2400));
    const heard = tail.length === 2400 && heardTones(tail, RATE_HZ).includes(expectHz);
    const call = lastCall(user);
    return heard && call?.heardHz.includes(440) === true && call.digits === '4#';
  });
  assert.equal(lastCall(user)?.codec, codec);
  phone.call.hangUp('Q.850;cause=16');
  await until(() => lastCall(user)?.state === 'ended');
  assert.ok((lastCall(user)?.packetsOut ?? 0) > 10);
  await phone.close();
}

async function callWithSound(user: string, codec: PbxCodec, transport: 'udp' | 'tcp' = 'udp') {
  const coder = await openCodec(codec);
  const heard: number[] = [];
  const port = await openRtpPort({ host: HOST, ssrc: 1, firstSequence: 1 }, (packet) => {
    heard.push(...(coder.decode(packet.payload) ?? []));
  });
  let open = true;
  let call!: SipCall;
  const answer = await new Promise<string>((resolve, reject) => {
    call = agent.invite(invite(user, transport, describe(codec, port.port)), (event) => {
      if (event.kind === 'answered') resolve(event.sdp);
      if (event.kind === 'failed') reject(new Error(event.reason));
    });
  });
  const remote = chooseSession(answer, codec === 'opus');
  assert.ok(remote !== undefined);
  port.aim(remote.address, remote.port);
  const { payloadType, digitsPayloadType = 101 } = remote;
  const send = (frame: number): void => {
    if (!open) return;
    const timestamp = frame * coder.timestampStep;
    if (frame === 5 || frame === 20) {
      // RFC 4733: event code, end bit and volume, duration; sent three times.
      const digit = Buffer.from([frame === 5 ? 4 : 11, 0x8a, 0, 160]);
      for (let i = 0; i < 3; i += 1) port.send(digitsPayloadType, timestamp, digit, i === 0);
    }
    const samples = toneSamples(440, RATE_HZ, FRAME_SAMPLES, frame * FRAME_SAMPLES);
    port.send(payloadType, timestamp, coder.encode(samples), frame === 0);
    systemClock.after(20, () => send(frame + 1));
  };
  send(0);
  const close = async (): Promise<void> => {
    open = false;
    await port.close();
    coder.free();
  };
  return { call, heard: () => heard, close };
}
