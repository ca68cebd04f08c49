import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsProgram } from '../../test/peers.ts';
import { openRtpEngine, type RtpEngine } from '../../test/rtpengine-peer.ts';
import { audioPort, openRtpPeer } from '../../test/rtp-peer.ts';
import { clearestShare, makeTone } from '../../test/tones.ts';
import { delay, systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { decodeG711, encodeG711 } from './g711.ts';
import { openMediaPlane } from './media-plane.ts';

/**
 * rtpengine takes the customer's place: an ICE, DTLS, SRTP and Opus that share no line with ours.
 * Behind it stands a telephone that speaks PCMU, so a tone passes two transcoders each way.
 */
const skip = needsProgram('rtpengine', 'rtpengine-daemon');
const FRAMES = 150;

test('rtpengine answers our WebRTC offer, and tones pass both ways', { skip }, async (t) => {
  const engine = await openRtpEngine({ first: 27_001, last: 27_199 });
  assert.ok(engine !== null);
  t.after(() => engine.close());
  const plane = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    portRange: { first: 24_900, last: 24_939 },
    workers: 1,
    callsPerWorker: 5,
  });
  t.after(() => plane.close());
  const connected = Promise.withResolvers<void>();
  const call = await plane.openCall({
    callId: 'rtpengine',
    onEvent: ({ kind }) => (kind === 'connected' ? connected.resolve() : undefined),
  });
  const [telephone, desk] = [await openRtpPeer(), await openRtpPeer()];
  t.after(() => [telephone, desk].forEach((peer) => peer.close()));
  await call.applyAnswer(await answerOf(engine, call.offer, telephone));
  await connected.promise;
  const offer = await call.openEndpoint({
    codecs: ['PCMU'],
    advertisedAddress: '127.0.0.1',
    srtp: false,
  });
  desk.sendTo(audioPort(offer));
  await call.applyEndpointAnswer(desk.sdp('0', ['a=rtpmap:0 PCMU/8000']));
  call.bridge();
  const [low, high] = [makeTone(440), makeTone(1000)];
  const start = systemClock.monotonic();
  for (let frame = 1; frame <= FRAMES; frame += 1) {
    telephone.sendAudio(0, encodeG711('PCMU', low(160)), 160);
    desk.sendAudio(0, encodeG711('PCMU', high(160)), 160);
    await delay(systemClock, Math.max(0, start + frame * 20 - systemClock.monotonic()));
  }
  const heard = (peer: typeof desk): Int16Array[] =>
    peer.received
      .filter(({ payloadType }) => payloadType === 0)
      .map(({ payload }) => decodeG711('PCMU', payload));
  const toDesk = clearestShare(heard(desk), 440);
  const toTelephone = clearestShare(heard(telephone), 1000);
  assert.ok(toDesk > 0.6, `440 Hz at the desk: ${toDesk}`);
  assert.ok(toTelephone > 0.6, `1000 Hz at the telephone: ${toTelephone}`);
  await call.close();
});

/** The WebRTC answer of rtpengine, once the telephone behind it has answered in PCMU. */
async function answerOf(
  engine: RtpEngine,
  offer: string,
  telephone: Awaited<ReturnType<typeof openRtpPeer>>,
): Promise<string> {
  const names = { 'call-id': 'interop', 'from-tag': 'gateway' };
  const replace = ['origin', 'session-connection'];
  const offered = await engine.ask({
    ...names,
    command: 'offer',
    sdp: offer,
    'transport-protocol': 'RTP/AVP',
    ICE: 'remove',
    'rtcp-mux': ['demux'],
    replace,
    codec: { transcode: ['PCMU'], mask: ['opus'] },
  });
  telephone.sendTo(audioPort(sdpIn(offered)));
  const answered = await engine.ask({
    ...names,
    'to-tag': 'telephone',
    command: 'answer',
    sdp: telephone.sdp('0', ['a=rtpmap:0 PCMU/8000']),
    'transport-protocol': 'UDP/TLS/RTP/SAVPF',
    ICE: 'force',
    DTLS: 'active',
    SDES: ['off'],
    'rtcp-mux': ['require'],
    replace,
  });
  return sdpIn(answered);
}

function sdpIn(answer: Record<string, unknown>): string {
  assert.equal(typeof answer['sdp'], 'string', JSON.stringify(answer));
  return String(answer['sdp']);
}
