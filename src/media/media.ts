import type { SrtpSuite } from './srtp.ts';

/**
 * The media plane: one `MediaCall` per call, with a WebRTC leg toward WhatsApp and an RTP leg
 * toward the endpoint, bridged. Signalling code knows only these types; which engine does the
 * work, and in which process, is the driver's secret.
 *
 * What every driver promises:
 * - From `applyAnswer` on something is always sent toward WhatsApp (Opus silence until the bridge
 *   carries audio), so Meta's 20 s / 30 s no-media rule never ends a call of ours.
 * - No event is sent after `closed`; `close()` may be called twice.
 * - A dead worker process surfaces as `lost` with cause `media_worker_died`. A question asked of
 *   it is answered by a `Failure` of the same code; `close()` still works and gives empty figures.
 */
export type MediaPlane = {
  /**
   * Reserves ports and makes the offer toward Meta. Throws `Failure` `media_no_capacity`
   * (no port, no descriptor, every worker busy) before anything native is touched.
   */
  openCall(options: MediaCallOptions): Promise<MediaCall>;
  /** Live calls, for admission and for the leak test. */
  liveCalls(): number;
  /** Ends all calls, workers and sockets. */
  close(): Promise<void>;
};

export type MediaCallOptions = {
  callId: string;
  onEvent: (event: MediaEvent) => void;
};

export type MediaCall = {
  /** SDP offer toward Meta: RFC 8866 with CRLF, setup:actpass, Opus 111 and telephone-event 126. */
  readonly offer: string;
  /**
   * Applies Meta's answer once; a second call with the same SDP does nothing. Throws `Failure`
   * `meta_sdp_refused` where guard G4 says no; the call is then unusable and must be closed.
   */
  applyAnswer(sdp: string): Promise<void>;
  /**
   * Opens (once) the RTP port toward the endpoint and returns our SDP offer for the INVITE. Asked
   * again, before an answer, it offers anew by the new options.
   */
  openEndpoint(options: EndpointMediaOptions): Promise<string>;
  /** Applies the endpoint's SDP answer. Throws `Failure` `endpoint_sdp_refused`. */
  applyEndpointAnswer(sdp: string): Promise<EndpointMedia>;
  /** Answers a re-INVITE of the endpoint (hold, resume, new address); returns our SDP answer. */
  answerEndpointOffer(sdp: string): Promise<string>;
  /** From now until `bridge()` the customer hears a ringing tone instead of silence. */
  ringMeanwhile(): void;
  /** Lets audio pass both ways. Before this the customer hears silence, or a ringing tone. */
  bridge(): void;
  /** Sends RFC 4733 digits ('0'-'9', '*', '#', 'A'-'D') on a leg. */
  sendDtmf(leg: MediaLeg, digits: string): void;
  stats(): Promise<MediaStats>;
  /** Releases everything and returns the last figures. */
  close(): Promise<MediaStats>;
};

export type MediaLeg = 'whatsapp' | 'endpoint';
export type EndpointCodec = 'opus' | 'PCMU' | 'PCMA';

export type EndpointMediaOptions = {
  /** In order of preference; Opus first means no transcoding when the endpoint takes it. */
  codecs: readonly EndpointCodec[];
  /** Address written into c= and o=; must be one of ours. */
  advertisedAddress: string;
  /** Offer SRTP and nothing else. */
  srtp: boolean;
};

export type EndpointMedia = {
  codec: EndpointCodec;
  dtmf: boolean;
  /** The audio of this leg is encrypted. */
  srtp: boolean;
  remoteAddress: string;
  remotePort: number;
};

export type MediaLostCause =
  | 'media_connect_timeout'
  | 'media_ice_failed'
  | 'media_transport_lost'
  | 'media_worker_died';

/** Why nothing is heard from a leg, as far as the packets tell. */
export type SilenceCause =
  /** Packets came, from another address or port than the SDP names. */
  | 'wrong_address'
  /** Packets came, in a codec that was not agreed. */
  | 'wrong_codec'
  /** Packets came that the SRTP key does not fit. */
  | 'srtp_failed'
  /** Nothing ever came: a firewall, a wrong address in the SDP, or nobody who sends. */
  | 'never_sent'
  /** It was heard before. */
  | 'stopped';

export type MediaEvent =
  /** ICE and DTLS are up on the WhatsApp leg. */
  | { kind: 'connected' }
  /** The first RTP packet with audio came in on a leg. */
  | { kind: 'firstAudio'; leg: MediaLeg }
  | { kind: 'dtmf'; leg: MediaLeg; digit: string; durationMs: number }
  /**
   * No RTP or RTCP came in on a leg for `silentMs`; once per silence, `heard` when it ends.
   * Watched from `bridge()` on, and not on an endpoint leg that is on hold.
   */
  | { kind: 'silent'; leg: MediaLeg; silentMs: number; cause: SilenceCause }
  | { kind: 'heard'; leg: MediaLeg }
  /** The WhatsApp leg is gone without our doing. Nothing more can be heard: end the call. */
  | { kind: 'lost'; cause: MediaLostCause };

export type LegStats = {
  packetsIn: number;
  packetsOut: number;
  /** From sequence numbers, RFC 3550 appendix A.3. */
  packetsLost: number;
  /** RFC 3550 section 6.4.1, in milliseconds. */
  jitterMs: number;
  /** Milliseconds since the epoch, from the worker's clock. */
  firstPacketInAt: number | null;
  firstPacketOutAt: number | null;
};

export type MediaStats = {
  codec: EndpointCodec | null;
  transcoded: boolean;
  /** The suite of SRTP toward the endpoint; null when it is plain RTP. */
  srtp: SrtpSuite | null;
  connectedAt: number | null;
  whatsapp: LegStats;
  endpoint: LegStats;
};
