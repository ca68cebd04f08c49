import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaStats } from '../media/media.ts';
import type { AccountId } from '../platform/ids.ts';
import type { CallFacts } from './call-facts.ts';
import { wholeCdr, type Cdr } from './cdr.ts';
import { mediaProofOf, qualityOf } from './media-proof.ts';

const AT = Date.UTC(2026, 0, 5, 12);
const FACTS = {
  answeredAt: AT + 5000,
  mediaConnectedAt: AT + 1001,
  bridgedAt: AT + 6000,
  endpoint: { answeredAt: AT + 5900 },
} as CallFacts;

const LEG = {
  packetsIn: 1,
  packetsOut: 1,
  packetsLost: 0,
  packetsLate: 0,
  jitterMs: 0,
  rttMs: null,
  mos: 4.4,
  far: null,
  firstPacketInAt: AT + 5100,
  firstPacketOutAt: AT + 1100,
  firstSoundInAt: null,
  dtmfIn: 0,
};
const MEDIA: MediaStats = {
  codec: 'PCMU',
  transcoded: true,
  srtp: null,
  iceConnectedAt: AT + 900,
  connectedAt: AT + 1000,
  whatsappSrtp: 'DTLS_SRTP',
  whatsappCodec: 'opus',
  whatsapp: LEG,
  endpoint: { ...LEG, firstPacketInAt: AT + 5950, firstPacketOutAt: null },
};

test('the proof is in order of time, and what never happened is not in it', () => {
  const steps = mediaProofOf(FACTS, MEDIA);
  assert.deepEqual(
    steps.map(({ step }) => step),
    [
      'ice_connected',
      'dtls_connected',
      'whatsapp_first_packet_out',
      'answered',
      'whatsapp_first_packet_in',
      'endpoint_answered',
      'endpoint_first_packet_in',
      'bridged',
    ],
  );
  assert.equal(steps[0]?.at, '2026-01-05T12:00:00.900Z');
});

test('the figures that are looked at first stand beside the call', () => {
  const lossy = { ...LEG, packetsIn: 95, packetsLost: 5, jitterMs: 3 };
  const quality = qualityOf({ ...MEDIA, endpoint: lossy });
  assert.deepEqual(quality?.endpoint, { mos: 4.4, rttMs: null, jitterMs: 3, lossShare: 0.05 });
  assert.equal(qualityOf(null), null);
});

test('a live call shows what its facts tell', () => {
  const steps = mediaProofOf(FACTS, null).map(({ step }) => step);
  assert.deepEqual(steps, ['dtls_connected', 'answered', 'endpoint_answered', 'bridged']);
});

test('a record from before these figures is read with empty ones', () => {
  const { packetsLate: _l, rttMs: _r, mos: _m, far: _f, firstSoundInAt: _s, ...newer } = LEG;
  const { dtmfIn: _d, ...oldLeg } = newer;
  const { iceConnectedAt: _i, srtp: _t, whatsappCodec: _c, ...oldMedia } = MEDIA;
  const old = { callId: 'call_1', media: { ...oldMedia, whatsapp: oldLeg, endpoint: oldLeg } };
  const whole = wholeCdr(old as unknown as Cdr, 'acct_1' as AccountId);
  assert.deepEqual(whole.mediaProof, []);
  assert.equal(whole.media?.srtp, null);
  assert.equal(whole.media?.iceConnectedAt, null);
  assert.deepEqual([whole.media?.whatsapp.mos, whole.media?.whatsapp.packetsLate], [null, 0]);
  assert.deepEqual([whole.media?.whatsappCodec, whole.media?.whatsapp.dtmfIn], ['opus', 0]);
  assert.deepEqual([whole.accountId, whole.dueAt, whole.dtmfCount], ['acct_1', null, null]);
});
