import { GraphError } from './graph-error.ts';

/** What the simulator needs to know of a business's SDP. */
export type OfferFacts = {
  mid: string;
  opusPayloadType: number;
  /** 126 when the offer has no telephone-event at 8000 Hz, as Meta does. */
  dtmfPayloadType: number;
  ufrag: string;
};

/**
 * Reads an offer (or, for a call of the person, an answer) the way Meta does: everything Meta
 * refuses is a 100 with the reason in the details. Rules: RFC 8866 with CRLF, exactly one audio
 * line, ICE credentials, sha-256 fingerprint, setup, Opus, rtcp-mux (calling FAQ).
 */
export function readBusinessSdp(sdp: unknown, type: 'offer' | 'answer'): OfferFacts {
  if (typeof sdp !== 'string' || sdp.trim() === '') throw refused('session.sdp is missing');
  if (!sdp.startsWith('v=0')) throw refused('SDP must begin with v=0');
  if (/(?<!\r)\n/.test(sdp) || !sdp.includes('\r\n')) {
    throw refused('SDP lines must end with CRLF (RFC 8866)');
  }
  const lines = sdp.split('\r\n');
  const value = (prefix: string): string | undefined =>
    lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
  const media = lines.filter((line) => line.startsWith('m='));
  if (media.length !== 1 || !media[0]?.startsWith('m=audio ')) {
    throw refused('SDP must have exactly one audio m-line and nothing else');
  }
  const ufrag = value('a=ice-ufrag:');
  const pwd = value('a=ice-pwd:');
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
  checkSetup(value('a=setup:'), type);
  if (!lines.includes('a=rtcp-mux')) throw refused('No rtcp-mux found in SDP');
  const opus = payloadType(lines, /^a=rtpmap:(\d+) opus\/48000\/2$/i);
  if (opus === undefined) throw refused('No opus/48000/2 codec found in SDP');
  return {
    mid: value('a=mid:') ?? '0',
    opusPayloadType: opus,
    dtmfPayloadType: payloadType(lines, /^a=rtpmap:(\d+) telephone-event\/8000$/i) ?? 126,
    ufrag,
  };
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
