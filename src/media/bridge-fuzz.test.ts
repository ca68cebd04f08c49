import assert from 'node:assert/strict';
import test from 'node:test';
import {
  assert as holds,
  asyncProperty,
  array,
  constantFrom,
  integer,
  oneof,
  record,
} from 'fast-check';
import { openRig, planOf, type BridgeRig, type RigLeg } from '../../test/bridge-rig.ts';
import { encodeG711 } from './g711.ts';
import { PlayableSound } from './playable-sound.ts';
import { sequenceAhead, timestampAhead } from './rtp.ts';

const LEGS = ['main', 'b', 'c'] as const;
const CODECS = ['opus', 'PCMU', 'PCMA'] as const;

const step = oneof(
  record({ do: constantFrom('frames' as const), count: integer({ min: 1, max: 12 }) }),
  record({ do: constantFrom('talk' as const), count: integer({ min: 1, max: 12 }) }),
  record({ do: constantFrom('use' as const), leg: constantFrom(...LEGS) }),
  record({
    do: constantFrom('open' as const),
    leg: constantFrom(...LEGS),
    codec: constantFrom(...CODECS),
  }),
  record({ do: constantFrom('close' as const), leg: constantFrom(...LEGS) }),
  record({
    do: constantFrom('listen' as const),
    leg: constantFrom(...LEGS),
    mode: constantFrom('listen' as const, 'whisper' as const, 'barge' as const, null),
  }),
  record({
    do: constantFrom('direct' as const),
    leg: constantFrom(...LEGS),
    direction: constantFrom(
      'sendrecv' as const,
      'sendonly' as const,
      'recvonly' as const,
      'inactive' as const,
    ),
  }),
  record({
    do: constantFrom('mute' as const),
    leg: constantFrom('customer', ...LEGS),
    muted: constantFrom(true, false),
  }),
  record({ do: constantFrom('hold' as const), held: constantFrom(true, false) }),
  record({
    do: constantFrom('play' as const),
    leg: constantFrom('customer', ...LEGS),
    loop: constantFrom(true, false),
  }),
  record({ do: constantFrom('stop' as const), leg: constantFrom('customer', ...LEGS) }),
  record({ do: constantFrom('digit' as const), leg: constantFrom('customer', ...LEGS) }),
  record({ do: constantFrom('bridge' as const) }),
);
type Step = typeof step extends { generate: (...args: never[]) => { value: infer T } } ? T : never;

test('whatever is done to a call in whatever order, each stream stays whole', async () => {
  await holds(
    asyncProperty(array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const world = await openWorld();
      for (const one of steps) await act(world, one);
      world.rig.bridge.close();
      for (const heard of world.allHeard) assertWhole(heard);
      const ends = world.rig.events.flatMap((event) =>
        event.kind === 'played' ? [event.playId] : [],
      );
      const expected = Array.from({ length: world.plays }, (_, at) => at + 1);
      assert.deepEqual(
        ends.toSorted((a, b) => a - b),
        expected,
      );
    }),
    { seed: 4, numRuns: 250 },
  );
});

type World = {
  rig: BridgeRig;
  legs: Map<string, RigLeg>;
  allHeard: RigLeg[];
  plays: number;
};

async function openWorld(): Promise<World> {
  const rig = await openRig(planOf('opus'));
  const legs = new Map([
    ['customer', rig.customer],
    ['main', rig.endpoint],
  ]);
  return { rig, legs, allHeard: [rig.customer, rig.endpoint], plays: 0 };
}

async function act(world: World, one: Step): Promise<void> {
  const { rig, legs } = world;
  const { bridge } = rig;
  const leg = 'leg' in one ? legs.get(one.leg) : undefined;
  switch (one.do) {
    case 'frames':
      rig.frames(one.count);
      break;
    case 'talk':
      rig.frames(one.count, () => {
        for (const speaker of legs.values()) speaker.say(voiceOf(speaker));
      });
      break;
    case 'use':
      bridge.useEndpoint(one.leg);
      break;
    case 'open': {
      if (leg !== undefined) break;
      const opened = rig.open(one.leg, planOf(one.codec));
      legs.set(one.leg, opened);
      world.allHeard.push(opened);
      break;
    }
    case 'close':
      bridge.closeLeg(one.leg);
      legs.delete(one.leg);
      break;
    case 'listen':
      bridge.setListener(one.leg, one.mode);
      break;
    case 'direct':
      if (leg !== undefined) bridge.setDirection(leg.leg, one.direction);
      break;
    case 'hold':
      bridge.setHeld(one.held ? { kind: 'builtin', name: 'hold_music' } : null);
      break;
    case 'bridge':
      bridge.bridge();
      break;
    default:
      actOn(world, leg, one);
  }
  // Codecs that are opened when they are needed come by promise.
  await Promise.resolve();
}

function actOn(
  world: World,
  leg: RigLeg | undefined,
  one: Extract<Step, { do: 'mute' | 'play' | 'stop' | 'digit' }>,
): void {
  if (leg === undefined) return;
  const { path, legId } = leg.leg;
  const name = { leg: leg.leg.leg, legId };
  if (one.do === 'mute') world.rig.bridge.setMuted(name, one.muted);
  else if (one.do === 'stop') path.player.stop();
  else if (one.do === 'digit') world.rig.bridge.sendDigit(name, '5');
  else {
    world.plays += 1;
    const frames = [Uint8Array.of(5), Uint8Array.of(6)];
    path.player.play({ playId: world.plays, loop: one.loop }, new PlayableSound(frames));
  }
}

function voiceOf({ leg }: RigLeg): Uint8Array {
  const samples = new Int16Array(160).fill(1000);
  const codec = leg.plan?.codec ?? 'opus';
  return codec === 'opus' ? new Uint8Array(samples.buffer) : encodeG711(codec, samples);
}

/** No sequence number is left out or used twice, and time never steps back. */
function assertWhole({ heard, leg }: RigLeg): void {
  for (const [at, packet] of heard.slice(1).entries()) {
    const before = heard[at];
    if (before === undefined || before.ssrc !== packet.ssrc) continue;
    assert.equal(sequenceAhead(before.sequence, packet.sequence), 1, `${leg.legId}: packet ${at}`);
    assert.ok(timestampAhead(before.timestamp, packet.timestamp) >= 0, `${leg.legId}: time`);
  }
}
