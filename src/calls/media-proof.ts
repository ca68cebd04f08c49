import type { CallView, LegQualityView, MediaProofView } from '../http/api-types.ts';
import type { LegStats, MediaStats } from '../media/media.ts';
import { isoTime } from '../platform/clock.ts';
import type { CallFacts } from './call-facts.ts';

/** A record from before a figure existed lacks it. */
type Stored<T> = { [K in keyof T]?: T[K] | undefined };

/**
 * What proves that audio could pass, in order of time: pick-up, ICE and DTLS or the keys of SDES,
 * and the first packet and sound on each leg. What never happened is not there, which tells where a
 * call broke. The packets are known when the media has been closed, so a live call shows the first
 * steps only.
 */
export function mediaProofOf(facts: CallFacts, media: MediaStats | null): MediaProofView[] {
  const keyed = facts.keyExchange === 'sdes' ? 'sdes_keyed' : 'dtls_connected';
  const steps: [MediaProofView['step'], number | null | undefined][] = [
    ['answered', facts.answeredAt],
    ['ice_connected', media?.iceConnectedAt],
    [keyed, media?.connectedAt ?? facts.mediaConnectedAt],
    ...legSteps('whatsapp', media?.whatsapp),
    ['endpoint_answered', facts.endpoint?.answeredAt],
    ...legSteps('endpoint', media?.endpoint),
    ['bridged', facts.bridgedAt],
  ];
  return steps
    .flatMap(([step, at]) => (at === null || at === undefined ? [] : [{ step, at }]))
    .toSorted((a, b) => a.at - b.at)
    .map(({ step, at }) => ({ step, at: isoTime(at) }));
}

function legSteps(
  leg: 'whatsapp' | 'endpoint',
  stats: LegStats | undefined,
): [MediaProofView['step'], number | null | undefined][] {
  return [
    [`${leg}_first_packet_out`, stats?.firstPacketOutAt],
    [`${leg}_first_packet_in`, stats?.firstPacketInAt],
    [`${leg}_first_sound_in`, stats?.firstSoundInAt],
  ];
}

/** Stored figures with the ones that came later: what was not measured then is null. */
export function wholeStats(media: MediaStats): MediaStats {
  const stored: Stored<MediaStats> = media;
  return {
    ...media,
    srtp: stored.srtp ?? null,
    iceConnectedAt: stored.iceConnectedAt ?? null,
    // Before SDES there was no other way.
    whatsappSrtp: stored.whatsappSrtp ?? (media.connectedAt === null ? null : 'DTLS_SRTP'),
    // Opus is all that Meta speaks.
    whatsappCodec: stored.whatsappCodec ?? (media.connectedAt === null ? null : 'opus'),
    whatsapp: wholeLeg(media.whatsapp),
    endpoint: wholeLeg(media.endpoint),
  };
}

function wholeLeg(leg: LegStats): LegStats {
  const stored: Stored<LegStats> = leg;
  return {
    ...leg,
    packetsLate: stored.packetsLate ?? 0,
    rttMs: stored.rttMs ?? null,
    mos: stored.mos ?? null,
    far: stored.far ?? null,
    firstSoundInAt: stored.firstSoundInAt ?? null,
    dtmfIn: stored.dtmfIn ?? 0,
  };
}

/** How each leg sounded, in the figures that are looked at first; null without media. */
export function qualityOf(media: MediaStats | null): CallView['quality'] {
  if (media === null) return null;
  const { whatsapp, endpoint } = wholeStats(media);
  return { whatsapp: legQuality(whatsapp), endpoint: legQuality(endpoint) };
}

function legQuality({ mos, rttMs, jitterMs, packetsIn, packetsLost }: LegStats): LegQualityView {
  const expected = Math.max(1, packetsIn + packetsLost);
  return { mos, rttMs, jitterMs, lossShare: Math.round((packetsLost / expected) * 1e4) / 1e4 };
}
