import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import {
  linearCodec,
  openRig,
  planOf,
  type BridgeRig,
  type RigLeg,
} from '../../test/bridge-rig.ts';
import { buildTelephoneEvent } from './dtmf.ts';
import { decodeG711, encodeG711 } from './g711.ts';
import { PlayableSound } from './playable-sound.ts';
import { sequenceAhead, timestampAhead } from './rtp.ts';

const OPUS = planOf('opus');
const PCMU = planOf('PCMU');
const LINEAR = linearCodec();
const SILENCE = 0xf8;

test('on hold the customer hears music, the endpoint silence', async () => {
  const { bridge, customer, endpoint, frames } = await openRig(OPUS);
  bridge.bridge();
  const talk = (): void => {
    customer.say(Uint8Array.of(50));
    endpoint.say(Uint8Array.of(60));
  };
  frames(5, talk);
  bridge.setHeld({ kind: 'builtin', name: 'hold_music' });
  bridge.setHeld({ kind: 'builtin', name: 'hold_music' });
  const [heldC, heldE] = [customer.heard.length, endpoint.heard.length];
  frames(10, talk);
  assert.deepEqual(new Set(marks(customer).slice(heldC)), new Set([3, 4]));
  assert.deepEqual(new Set(marks(endpoint).slice(heldE)), new Set([SILENCE]));
  bridge.setHeld(null);
  frames(5, talk);
  assert.deepEqual(marks(customer).slice(-4), [60, 60, 60, 60]);
  assert.deepEqual(marks(endpoint).slice(-4), [50, 50, 50, 50]);
  assertUnbroken(customer, 960);
  assertUnbroken(endpoint, 960);
});

test('who is muted is heard by nobody, hears all the others, and is not recorded', async () => {
  const taped: number[] = [];
  const { bridge, customer, endpoint, frames } = await openRig(OPUS, (leg, codec, payload) => {
    assert.equal(codec, 'opus');
    taped.push((leg === 'whatsapp' ? 1000 : 2000) + (payload[0] ?? 0));
  });
  bridge.bridge();
  bridge.setMuted({ leg: 'endpoint' }, true);
  frames(6, () => {
    customer.say(Uint8Array.of(50));
    endpoint.say(Uint8Array.of(60));
  });
  assert.equal(marks(customer).includes(60), false);
  assert.ok(marks(endpoint).includes(50));
  assert.deepEqual(new Set(taped), new Set([1050]));
  bridge.setMuted({ leg: 'endpoint' }, false);
  frames(3, () => endpoint.say(Uint8Array.of(60)));
  assert.equal(marks(customer).at(-1), 60);
  assert.ok(taped.includes(2060));
});

test('a sound replaces what a leg would hear, to the frame, and its end is told once', async () => {
  const { bridge, customer, endpoint, events, frames } = await openRig(OPUS);
  bridge.bridge();
  const talk = (): void => {
    customer.say(Uint8Array.of(50));
    endpoint.say(Uint8Array.of(60));
  };
  frames(5, talk);
  const played = (): unknown[] => events.filter(({ kind }) => kind === 'played');
  customer.leg.path.player.play({ playId: 1, loop: false }, beep());
  // The packet of this frame left before its turn, so the sound begins with the next one.
  const before = customer.heard.length;
  let frame = 0;
  while (played().length === 0 && frame < 20) {
    frames(1, talk);
    frame += 1;
  }
  const heard = marks(customer).slice(before);
  assert.deepEqual(
    heard.filter((mark) => mark !== 60),
    [5, 6, 7],
  );
  assert.equal(heard.at(-1), 7);
  assert.deepEqual(played(), [{ kind: 'played', leg: 'whatsapp', playId: 1, completed: true }]);
  frames(3, talk);
  assert.equal(marks(customer).at(-1), 60);
  assert.equal(marks(endpoint).at(-1), 50);
  assertUnbroken(customer, 960);
});

test('digits go on both ways while a sound plays, and lose it nothing', async () => {
  const { bridge, customer, endpoint, events, frames } = await openRig(OPUS);
  bridge.bridge();
  customer.leg.path.player.play({ playId: 1, loop: false }, beep());
  const press = { code: 1, end: true, volume: 10, duration: 800 };
  const payload = buildTelephoneEvent(press);
  const digit = { marker: true, sequence: 900, timestamp: 90_000, ssrc: 5, payload };
  customer.send({ ...digit, payloadType: 126 });
  endpoint.send({ ...digit, payloadType: 101 });
  frames(20);
  assert.deepEqual(
    events.flatMap((event) => (event.kind === 'dtmf' ? [`${event.leg} ${event.digit}`] : [])),
    ['whatsapp 1', 'endpoint 1'],
  );
  assert.ok(endpoint.heard.some(({ payloadType }) => payloadType === 101));
  assert.ok(customer.heard.some(({ payloadType }) => payloadType === 126));
  const audio = customer.heard.filter(({ payloadType }) => payloadType === 111);
  const sound = audio.map(({ payload: [mark] }) => mark).filter((mark) => mark !== SILENCE);
  assert.deepEqual(sound, [5, 6, 7]);
});

test('a sound is heard before the bridge too, and on an endpoint leg not in use', async () => {
  const { customer, frames, open, events } = await openRig(PCMU);
  const consultant = open('b', OPUS);
  customer.leg.path.player.play({ playId: 1, loop: false }, beep());
  consultant.leg.path.player.play({ playId: 2, loop: false }, beep());
  frames(4);
  assert.deepEqual(marks(customer), [5, 6, 7, SILENCE]);
  assert.deepEqual(marks(consultant), [5, 6, 7, SILENCE]);
  assert.deepEqual(events, [
    { kind: 'played', leg: 'whatsapp', playId: 1, completed: true },
    { kind: 'played', leg: 'endpoint', legId: 'b', playId: 2, completed: true },
  ]);
});

for (const [from, to] of [
  ['opus', 'opus'],
  ['opus', 'PCMU'],
  ['PCMU', 'opus'],
  ['PCMU', 'PCMA'],
] as const) {
  test(`a swap from ${from} to ${to} leaves the customer one unbroken stream`, async () => {
    const { bridge, customer, endpoint, frames, open } = await openRig(planOf(from));
    const next = open('b', planOf(to));
    bridge.bridge();
    // It has sent for longer, so that its numbers are ahead of those of the first.
    for (let packet = 0; packet < 30; packet += 1) speak(next, 4000);
    const talk = (): void => {
      customer.say(tone(1000));
      speak(endpoint, 2000);
      speak(next, 4000);
    };
    frames(12, talk);
    assert.ok(near(level(customer), 2000));
    bridge.useEndpoint('b');
    const atSwap = customer.heard.length;
    const nextBefore = next.heard.length;
    frames(12, talk);
    assert.ok(near(level(customer), 4000));
    assert.ok(near(level(next), 1000));
    assert.equal(level(endpoint), 0);
    bridge.closeLeg('main');
    frames(12, talk);
    assert.ok(near(level(customer), 4000));
    assertUnbroken(customer, 960);
    assert.ok(customer.heard.length - atSwap >= 20);
    assert.ok(next.heard.length - nextBefore >= 20);
  });
}

test('an endpoint that holds gives its own music, and ours where that cannot be read', async () => {
  const { bridge, customer, endpoint, frames } = await openRig(OPUS);
  bridge.bridge();
  endpoint.leg.holdSound = { kind: 'builtin', name: 'beep' };
  bridge.setDirection(endpoint.leg, 'inactive');
  frames(4);
  assert.deepEqual(marks(customer).slice(-4), [5, 6, 7, 5]);
  bridge.setDirection(endpoint.leg, 'sendrecv');
  endpoint.leg.holdSound = { kind: 'opus', path: '/nowhere/music.snd' };
  bridge.setDirection(endpoint.leg, 'sendonly');
  for (let turn = 0; turn < 200 && marks(customer).at(-1) !== 4; turn += 1) {
    // As long as reading a file takes.
    await readFile(import.meta.filename);
    frames(1);
  }
  assert.deepEqual(marks(customer).slice(-2), [3, 4]);
});

test('after the agent has gone and before the next one comes, there is music', async () => {
  const { bridge, customer, frames, open } = await openRig(OPUS);
  bridge.bridge();
  frames(5);
  bridge.closeLeg('main');
  frames(4);
  assert.deepEqual(
    marks(customer)
      .slice(-4)
      .toSorted((a, b) => a - b),
    [3, 3, 4, 4],
  );
  bridge.useEndpoint('b');
  frames(2);
  const next = open('b', OPUS);
  frames(5, () => next.say(Uint8Array.of(60)));
  assert.equal(marks(customer).at(-1), 60);
});

test('listen, whisper and barge: everybody hears exactly whom they should', async () => {
  const rig = await openRig(PCMU);
  const { bridge } = rig;
  const third = rig.open('b', OPUS);
  bridge.bridge();
  const legs = { customer: rig.customer, agent: rig.endpoint, third };
  // Sums tell who is in it: every subset of 1000, 2000 and 4000 has a sum of its own.
  assert.deepEqual(await hearing(rig, legs), { customer: 2000, agent: 1000, third: 0 });
  bridge.setListener('b', 'listen');
  assert.deepEqual(await hearing(rig, legs), { customer: 2000, agent: 1000, third: 3000 });
  bridge.setListener('b', 'whisper');
  assert.deepEqual(await hearing(rig, legs), { customer: 2000, agent: 5000, third: 3000 });
  bridge.setListener('b', 'barge');
  assert.deepEqual(await hearing(rig, legs), { customer: 6000, agent: 5000, third: 3000 });
  bridge.setMuted({ leg: 'endpoint', legId: 'b' }, true);
  assert.deepEqual(await hearing(rig, legs), { customer: 2000, agent: 1000, third: 3000 });
  bridge.setMuted({ leg: 'endpoint', legId: 'b' }, false);
  bridge.setListener('b', 'whisper');
  bridge.setHeld({ kind: 'builtin', name: 'silence' });
  const consulting = await hearing(rig, legs);
  assert.deepEqual([consulting['agent'], consulting['third']], [4000, 2000]);
  bridge.setHeld(null);
  bridge.setListener('b', null);
  assert.deepEqual(await hearing(rig, legs), { customer: 2000, agent: 1000, third: 0 });
  assertUnbroken(rig.customer, 960);
});

test('a plain call decodes nothing, also after a listener has left', async () => {
  const rig = await openRig(OPUS);
  const { bridge, customer, endpoint, frames } = rig;
  let decoded = 0;
  const counted = {
    ...LINEAR,
    decode: (payload: Uint8Array) => (decoded++, LINEAR.decode(payload)),
  };
  for (const { leg } of [customer, endpoint]) leg.voice.setCodec(counted);
  bridge.bridge();
  const talk = (): void => {
    customer.say(tone(1000));
    endpoint.say(tone(2000));
  };
  frames(20, talk);
  assert.equal(decoded, 0);
  rig.open('b', OPUS);
  bridge.setListener('b', 'listen');
  await settled();
  frames(10, talk);
  bridge.setListener('b', null);
  const [heardC, heardE] = [customer.heard.length, endpoint.heard.length];
  frames(10, talk);
  assert.deepEqual([...(customer.heard[heardC]?.payload ?? [])], [...tone(2000)]);
  assert.deepEqual([...(endpoint.heard[heardE]?.payload ?? [])], [...tone(1000)]);
  assertUnbroken(customer, 960);
});

test('every codec is given back, also one that comes after the end', async () => {
  const { bridge, codecsHeld, open } = await openRig(OPUS);
  open('b', OPUS);
  bridge.bridge();
  bridge.setListener('b', 'barge');
  await settled();
  assert.equal(codecsHeld(), 3);
  bridge.closeLeg('b');
  assert.equal(codecsHeld(), 2);
  open('c', OPUS);
  bridge.setListener('c', 'listen');
  bridge.close();
  await settled();
  assert.equal(codecsHeld(), 0);
});

test('digits of a leg not in use are told with its name, and played to nobody', async () => {
  const { bridge, customer, events, frames, open } = await openRig(OPUS);
  const consultant = open('b', OPUS);
  bridge.bridge();
  const payload = buildTelephoneEvent({ code: 7, end: true, volume: 10, duration: 800 });
  consultant.send({ payloadType: 101, marker: true, sequence: 1, timestamp: 1, ssrc: 5, payload });
  frames(10);
  assert.deepEqual(events, [
    { kind: 'dtmf', leg: 'endpoint', legId: 'b', digit: '7', durationMs: 100 },
  ]);
  assert.ok(customer.heard.every(({ payloadType }) => payloadType === 111));
});

test('digits for an endpoint without telephone events are handed back, not sent', async () => {
  const deaf = { ...PCMU, sendEvents: null };
  const { bridge, customer, endpoint, events, frames, open } = await openRig(deaf);
  const other = open('b', deaf);
  const pressed = (): string[] =>
    events.flatMap((event) =>
      event.kind === 'unsentDigit' ? [`${event.digit} ${event.durationMs} ${event.legId}`] : [],
    );
  let timestamp = 0;
  const press = (): void => {
    const payload = buildTelephoneEvent({ code: 5, end: true, volume: 10, duration: 800 });
    timestamp += 8_000;
    const sequence = timestamp / 8_000;
    customer.send({ payloadType: 126, marker: true, sequence, timestamp, ssrc: 5, payload });
  };
  press();
  assert.deepEqual(pressed(), [], 'before the bridge they are for nobody');
  bridge.bridge();
  press();
  bridge.sendDigit({ leg: 'endpoint' }, '#');
  bridge.useEndpoint('b');
  press();
  bridge.setHeld({ kind: 'builtin', name: 'hold_music' });
  press();
  bridge.setHeld(null);
  const handedBack = ['5 100 undefined', '# undefined undefined', '5 100 b'];
  assert.deepEqual(pressed(), handedBack);
  bridge.connect(other.leg, PCMU);
  press();
  frames(20);
  assert.deepEqual(pressed(), handedBack, 'now it takes them itself');
  assert.ok(other.heard.some(({ payloadType }) => payloadType === 101));
  assert.ok(!endpoint.heard.some(({ payloadType }) => payloadType === 101));
});

test('digits that wait when an endpoint stops taking them do not keep its sound away', async () => {
  const { bridge, customer, endpoint, frames } = await openRig(OPUS);
  bridge.bridge();
  for (const digit of '123') bridge.sendDigit({ leg: 'endpoint' }, digit);
  frames(3);
  bridge.connect(endpoint.leg, { ...OPUS, sendEvents: null });
  frames(20, () => customer.say(Uint8Array.of(50)));
  assert.deepEqual(marks(endpoint).slice(-3), [50, 50, 50]);
});

/** What each leg hears in the end, as the sum of those who speak; they say 1000, 2000, 4000. */
async function hearing(
  { frames }: BridgeRig,
  legs: Record<'customer' | 'agent' | 'third', RigLeg>,
): Promise<Record<string, number>> {
  await settled();
  frames(30, () => {
    legs.customer.say(tone(1000));
    speak(legs.agent, 2000);
    speak(legs.third, 4000);
  });
  const names = ['customer', 'agent', 'third'] as const;
  return Object.fromEntries(names.map((name) => [name, rounded(level(legs[name]))]));
}

/** Codecs that are opened when they are needed come by promise. */
function settled(): Promise<void> {
  return Promise.resolve().then(() => Promise.resolve());
}

/** A loudness that G.711 changes a little, as the sum it stands for. */
function rounded(loudness: number): number {
  return Math.round(loudness / 1000) * 1000;
}

function near(loudness: number, expected: number): boolean {
  return rounded(loudness) === expected;
}

function tone(loudness: number): Uint8Array {
  return LINEAR.encode(new Int16Array(160).fill(loudness));
}

function speak(leg: RigLeg, loudness: number): void {
  const codec = leg.leg.plan?.codec ?? 'opus';
  const samples = new Int16Array(160).fill(loudness);
  leg.say(codec === 'opus' ? LINEAR.encode(samples) : encodeG711(codec, samples));
}

/** The last frame a leg was sent, as loudness. */
function level({ leg, heard }: RigLeg): number {
  const payload = heard.at(-1)?.payload ?? new Uint8Array();
  const codec = leg.plan?.codec ?? 'opus';
  if (codec !== 'opus') return decodeG711(codec, payload)[80] ?? 0;
  return payload.length === 320 ? (LINEAR.decode(payload)[80] ?? 0) : 0;
}

function marks({ heard }: RigLeg): number[] {
  return heard.map(({ payload }) => payload[0] ?? -1);
}

function beep(): PlayableSound {
  return new PlayableSound([5, 6, 7].map((mark) => Uint8Array.of(mark)));
}

/** One SSRC, no number left out or used twice, and time that never steps back or far ahead. */
function assertUnbroken({ heard }: RigLeg, frameTicks: number): void {
  for (const [at, packet] of heard.slice(1).entries()) {
    const before = heard[at];
    if (before === undefined) continue;
    assert.equal(packet.ssrc, before.ssrc);
    assert.equal(sequenceAhead(before.sequence, packet.sequence), 1, `packet ${at}`);
    const step = timestampAhead(before.timestamp, packet.timestamp) / frameTicks;
    assert.ok(step >= 0 && step <= 6, `a step of ${step} frames at packet ${at}`);
  }
}
