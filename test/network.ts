import type { RtpPacket } from '../src/media/rtp.ts';
import { seededRandom, type Random } from '../src/platform/random.ts';

/**
 * A network on a clock of numbers: what is sent comes out later, elsewhere in the order, twice or
 * never. No time passes for real, so minutes of a call take milliseconds.
 */
export type NetworkProfile = {
  /** Lost at random, 0 to 1. */
  loss?: number;
  /** Extra delay of each packet, evenly from 0 to this. */
  jitterMs?: number;
  /** Packets lost in a row, once every so many. */
  burst?: { packets: number; every: number };
  /** Sent a second time, 0 to 1. */
  duplicates?: number;
  /** Held back so long that others overtake it, 0 to 1. */
  reordered?: number;
  /** The sender's clock against ours: 200 is 200 ppm fast. */
  clockPpm?: number;
};

export type Arrival = { at: number; packet: RtpPacket };

const HELD_BACK_MS = 45;

/** When each of the packets, sent every 20 ms, arrives; in order of arrival. */
export function arrivals(
  packets: readonly RtpPacket[],
  profile: NetworkProfile,
  seed: number,
): Arrival[] {
  const random = seededRandom(seed);
  const everyMs = 20 / (1 + (profile.clockPpm ?? 0) / 1e6);
  const arrived: Arrival[] = [];
  for (const [index, packet] of packets.entries()) {
    const { burst } = profile;
    const inBurst = burst !== undefined && index % burst.every >= burst.every - burst.packets;
    if (inBurst || chance(random, profile.loss ?? 0)) continue;
    const held = chance(random, profile.reordered ?? 0) ? HELD_BACK_MS : 0;
    const copies = chance(random, profile.duplicates ?? 0) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const jitter = ((profile.jitterMs ?? 0) * random.below(10_000)) / 10_000;
      arrived.push({ at: index * everyMs + held + jitter, packet });
    }
  }
  return arrived.toSorted((a, b) => a.at - b.at);
}

function chance(random: Random, share: number): boolean {
  return random.below(1_000_000) < share * 1_000_000;
}
