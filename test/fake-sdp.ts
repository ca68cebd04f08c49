import { checkMetaAnswer, metaFailure } from '../src/media/meta-answer.ts';
import { checkSdesAnswer, META_SUITE, sdesOffer } from '../src/media/sdes-answer.ts';
import { isRefused } from '../src/platform/refusal.ts';

/** What stand-ins offer to Meta. */
export const FAKE_OFFER = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 126',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:126 telephone-event/8000',
  'a=ptime:20',
  '',
].join('\r\n');

/** What an agent's browser answers. */
export const BROWSER_ANSWER = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 126',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  `a=ice-pwd:${'p'.repeat(24)}`,
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:active',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:126 telephone-event/8000',
  '',
].join('\r\n');

/** An endpoint that answers without telephone-event (RFC 4733). */
export const FAKE_WITHOUT_EVENTS = 'v=0 without telephone-event';

const FAKE_KEY = { tag: 1, suite: META_SUITE, key: new Uint8Array(30) } as const;
export const FAKE_SDES_OFFER = sdesOffer({
  sessionId: 1,
  address: '127.0.0.1',
  port: 4000,
  key: FAKE_KEY,
  ssrc: 1,
  cname: 'fake',
});

/** The same guard as the real plane has: what Meta may answer. */
export function refuseUnusable(sdp: string, isSdes: boolean): void {
  const own = { key: FAKE_KEY, bindAddress: '127.0.0.1' };
  const checked = isSdes ? checkSdesAnswer(sdp, own) : checkMetaAnswer(sdp);
  if (isRefused(checked)) throw metaFailure(checked.refused.message, checked.refused.code);
}
