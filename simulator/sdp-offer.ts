import { GraphError } from './graph-error.ts';

/** Of AES_CM_128_HMAC_SHA1_80: 16 bytes of master key, 14 of salt (RFC 4568 section 6.1). */
export const SDES_KEY_BYTES = 30;

/** What the simulator needs to know of a business's SDP. */
export type OfferFacts = {
  mid: string;
  opusPayloadType: number;
  /** 126 when the offer has no telephone-event at 8000 Hz, as Meta does. */
  dtmfPayloadType: number;
  ufrag: string;
  /** Of a number on SDES: the key that the business sends with, under the tag of its offer. */
  sdes: { tag: number; key: Uint8Array } | null;
};

/** `srtp_key_exchange_protocol` of a number. */
export type KeyExchange = 'DTLS' | 'SDES';

/**
 * Reads an offer (or, for a call of the person, an answer) the way Meta does: everything Meta
 * refuses is a 100 with the reason in the details. Rules: RFC 8866 with CRLF, exactly one audio
 * line, ICE credentials, sha-256 fingerprint, setup, Opus, rtcp-mux (calling FAQ); on a number with
 * SDES a key in place of ICE, fingerprint and setup (SIP page).
 */
export function readBusinessSdp(
  sdp: unknown,
  type: 'offer' | 'answer',
  exchange: KeyExchange = 'DTLS',
): OfferFacts {
  if (typeof sdp !== 'string' || sdp.trim() === '') throw refused('session.sdp is missing');
  if (!sdp.startsWith('v=0')) throw refused('SDP must begin with v=0');
  if (/(?<!\r)\n/.test(sdp) || !sdp.includes('\r\n')) {
    throw refused('SDP lines must end with CRLF (RFC 8866)');
  }
  const lines = sdp.split('\r\n');
  const media = lines.filter((line) => line.startsWith('m='));
  if (media.length !== 1 || !media[0]?.startsWith('m=audio ')) {
    throw refused('SDP must have exactly one audio m-line and nothing else');
  }
  const isSdes = / RTP\/SAVPF? /.test(media[0]);
  if (exchange === 'DTLS' && isSdes) throw refused('No fingerprint found in SDP');
  if (exchange === 'SDES' && !isSdes) throw refused('No crypto found in SDP');
  const sdes = exchange === 'SDES' ? readKey(lines) : null;
  const ufrag = sdes === null ? readIceAndDtls(lines, type) : '';
  if (!lines.includes('a=rtcp-mux')) throw refused('No rtcp-mux found in SDP');
  const opus = payloadType(lines, /^a=rtpmap:(\d+) opus\/48000\/2$/i);
  if (opus === undefined) throw refused('No opus/48000/2 codec found in SDP');
  return {
    mid: valueOf(lines, 'a=mid:') ?? '0',
    opusPayloadType: opus,
    dtmfPayloadType: payloadType(lines, /^a=rtpmap:(\d+) telephone-event\/8000$/i) ?? 126,
    ufrag,
    sdes,
  };
}

function readIceAndDtls(lines: readonly string[], type: 'offer' | 'answer'): string {
  const ufrag = valueOf(lines, 'a=ice-ufrag:');
  const pwd = valueOf(lines, 'a=ice-pwd:');
  if (ufrag === undefined || ufrag.length < 4) throw refused('No ice-ufrag found in SDP');
  if (pwd === undefined || pwd.length < 22) throw refused('No ice-pwd found in SDP');
  const fingerprints = lines.filter((line) => line.startsWith('a=fingerprint:'));
  if (fingerprints.length === 0) throw refused('No fingerprint found in SDP');
  if (
    !fingerprints.some((line) =>
      /^a=fingerprint:sha-256 ([0-9a-f]{2}:){31}[0-9a-f]{2}$/i.test(line),
    )
  ) {
    throw refused('No sha-256 fingerprint found in SDP');
  }
  checkSetup(valueOf(lines, 'a=setup:'), type);
  return ufrag;
}

/** The suite is masked in all copies of Meta's pages; this one is what every SRTP stack has. */
function readKey(lines: readonly string[]): { tag: number; key: Uint8Array } {
  for (const line of lines) {
    const pattern = /^a=crypto:(\d{1,9}) AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/=]+)(\|.*)?$/;
    const [, tag, encoded = ''] = pattern.exec(line) ?? [];
    const key = Buffer.from(encoded, 'base64');
    if (tag !== undefined && key.length === SDES_KEY_BYTES) return { tag: Number(tag), key };
  }
  throw refused('No crypto found in SDP');
}

function valueOf(lines: readonly string[], prefix: string): string | undefined {
  return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}

function checkSetup(setup: string | undefined, type: 'offer' | 'answer'): void {
  if (setup === undefined) throw refused('No setup attribute found in SDP');
  // Meta is the DTLS client of a business-initiated call: an offer that is active fits no answer.
  const fitting = type === 'offer' ? ['actpass', 'passive'] : ['active', 'passive'];
  if (!fitting.includes(setup)) {
    throw refused(`a=setup:${setup} does not fit an SDP ${type}`);
  }
}

function payloadType(lines: readonly string[], pattern: RegExp): number | undefined {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match?.[1] !== undefined) return Number(match[1]);
  }
  return undefined;
}

function refused(details: string): GraphError {
  return new GraphError(100, `SDP Validation error: ${details}`);
}
