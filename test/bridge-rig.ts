import { Bridge } from '../src/media/bridge.ts';
import type { BridgeLeg, LegPlan } from '../src/media/bridge-leg.ts';
import type { FrameCodec } from '../src/media/frame-codec.ts';
import type { BuiltinSound, EndpointCodec, FrameTap, MediaEvent } from '../src/media/media.ts';
import { parseRtp, type RtpPacket } from '../src/media/rtp.ts';
import { SoundLibrary } from '../src/media/sound-library.ts';
import { ManualClock } from '../src/platform/clock.ts';
import { seededRandom } from '../src/platform/random.ts';

/** Stands for Opus in the bridge's tests: two bytes per sample, nothing lost. */
export function linearCodec(expected: number[] = []): FrameCodec {
  return {
    frameTicks: 960,
    encode: (samples) => new Uint8Array(Int16Array.from(samples).buffer),
    decode: (payload) => new Int16Array(Uint8Array.from(payload).buffer),
    conceal: () => new Int16Array(160),
    expectLoss: (share) => void expected.push(share),
    free: () => {},
  };
}

/** What the SDP of an endpoint with this codec would settle. */
export function planOf(codec: EndpointCodec): LegPlan {
  const payloadType = { opus: 96, PCMU: 0, PCMA: 8 }[codec];
  return {
    codec,
    sendPayloadType: payloadType,
    receivePayloadTypes: [{ codec, payloadType }],
    sendEvents: { payloadType: 101, clockRate: 8000 },
    receiveEvents: [{ payloadType: 101, clockRate: 8000 }],
  };
}

/** One end of a leg: what it says, and what it is sent. */
export type RigLeg = {
  leg: BridgeLeg;
  heard: RtpPacket[];
  /** Sends the next audio packet. */
  say(payload: Uint8Array): void;
  /** Sends one packet as it is. */
  send(packet: RtpPacket): void;
};

export type BridgeRig = {
  bridge: Bridge;
  customer: RigLeg;
  endpoint: RigLeg;
  events: MediaEvent[];
  clock: ManualClock;
  /** Opus codecs that were opened and not given back; the real ones hold memory of their own. */
  codecsHeld: () => number;
  /** What each Opus codec was told of the way to its far side. */
  expectedLoss: readonly number[];
  /** Opens a further endpoint leg. */
  open: (legId: string, plan: LegPlan) => RigLeg;
  /** Lets frames of 20 ms pass; `each` runs before every one. */
  frames: (count: number, each?: () => void) => void;
};

export const RIG_SOUNDS: Readonly<Partial<Record<BuiltinSound, readonly Uint8Array[]>>> = {
  ringing: [Uint8Array.of(1), Uint8Array.of(2)],
  hold_music: [Uint8Array.of(3), Uint8Array.of(4)],
  beep: [Uint8Array.of(5), Uint8Array.of(6), Uint8Array.of(7)],
};

/** A bridge with a customer and one endpoint, both connected, on a clock of its own. */
export async function openRig(plan: LegPlan, onFrame?: FrameTap): Promise<BridgeRig> {
  const clock = new ManualClock();
  const events: MediaEvent[] = [];
  const toCustomer: RtpPacket[] = [];
  let codecsHeld = 0;
  const expectedLoss: number[] = [];
  const bridge = new Bridge({
    clock,
    random: seededRandom(9),
    sounds: new SoundLibrary(RIG_SOUNDS),
    silentAfterMs: 5000,
    sendToWhatsApp: keeper(toCustomer),
    openOpus: async () => {
      codecsHeld += 1;
      return { ...linearCodec(expectedLoss), free: () => (codecsHeld -= 1) };
    },
    onEvent: (event) => events.push(event),
    ...(onFrame === undefined ? {} : { onFrame }),
  });
  bridge.connect(bridge.whatsapp, {
    ...planOf('opus'),
    sendPayloadType: 111,
    receivePayloadTypes: [{ codec: 'opus', payloadType: 111 }],
    sendEvents: { payloadType: 126, clockRate: 8000 },
    receiveEvents: [{ payloadType: 126, clockRate: 8000 }],
  });
  await bridge.whatsapp.prepareOpus();
  const open = (legId: string, agreed: LegPlan): RigLeg => {
    const heard: RtpPacket[] = [];
    const leg = bridge.openLeg(legId, keeper(heard));
    bridge.connect(leg, agreed);
    return rigLeg(bridge, leg, heard);
  };
  return {
    bridge,
    customer: rigLeg(bridge, bridge.whatsapp, toCustomer),
    endpoint: open('main', plan),
    events,
    clock,
    codecsHeld: () => codecsHeld,
    expectedLoss,
    open,
    frames(count, each) {
      for (let frame = 0; frame < count; frame += 1) {
        each?.();
        clock.advance(20);
        bridge.tick();
      }
    },
  };
}

function rigLeg(bridge: Bridge, leg: BridgeLeg, heard: RtpPacket[]): RigLeg {
  let sequence = 0;
  const send = (packet: RtpPacket): void => bridge.hear(leg, packet);
  return {
    leg,
    heard,
    send,
    say(payload) {
      const plan = leg.plan ?? planOf('opus');
      const payloadType = plan.receivePayloadTypes[0]?.payloadType ?? 0;
      const timestamp = sequence * (plan.codec === 'opus' ? 960 : 160);
      // Every peer has the same SSRC and numbers, so that only the leg tells them apart.
      send({ payloadType, marker: false, sequence, timestamp, ssrc: 77, payload });
      sequence += 1;
    },
  };
}

function keeper(packets: RtpPacket[]): (bytes: Buffer) => boolean {
  return (bytes) => {
    const parsed = parseRtp(bytes);
    if (parsed !== null) packets.push(parsed);
    return true;
  };
}
