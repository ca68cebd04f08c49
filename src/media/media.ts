import type { RecordingFigures, RecordingOrder, RecordingTrouble } from '../recording/recording.ts';
import type { SrtpSuite } from './srtp.ts';

/**
 * The media plane: one `MediaCall` per call, with a leg toward WhatsApp (WebRTC, or SRTP keyed in
 * the SDP) and an RTP leg toward the endpoint, bridged. Signalling code knows only these types;
 * which engine does the work, and in which process, is the driver's secret.
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
  /** Present where Meta has the number on SDES; absent, it is DTLS with ICE. */
  sdes?: SdesOptions;
  onEvent: (event: MediaEvent) => void;
};

/** `advertisedAddress` is one of ours, written into c= and o= of the offer toward Meta. */
export type SdesOptions = { advertisedAddress: string };

/** How the keys of SRTP toward WhatsApp are agreed: `srtp_key_exchange_protocol` at Meta. */
export const KEY_EXCHANGES = ['dtls', 'sdes'] as const;
export type KeyExchange = (typeof KEY_EXCHANGES)[number];

export type MediaCall = {
  /**
   * SDP offer toward Meta: RFC 8866 with CRLF, Opus 111 and telephone-event 126; setup:actpass, or
   * `a=crypto` with a key that must reach nobody but Meta.
   */
  readonly offer: string;
  /**
   * Applies Meta's answer once; a second call with the same SDP does nothing. Throws `Failure`
   * `meta_sdp_refused` where guard G4 says no, or `meta_key_exchange_mismatch` where the answer is
   * for SDES and the offer was not, or the other way round; the call must then be closed.
   */
  applyAnswer(sdp: string): Promise<void>;
  /**
   * Opens (once) the RTP port toward an endpoint and returns our SDP offer for the INVITE. Asked
   * again, before an answer, it offers anew by the new options. A call may have several endpoint
   * legs at a time, each with a `legId` of its own; without one it is the leg `main`, which is
   * the bridged one until `useEndpoint` names another. Throws `Failure` `media_no_capacity`.
   */
  openEndpoint(options: EndpointMediaOptions, legId?: string): Promise<string>;
  /** Applies the endpoint's SDP answer. Throws `Failure` `endpoint_sdp_refused`. */
  applyEndpointAnswer(sdp: string, legId?: string): Promise<EndpointMedia>;
  /** Answers a re-INVITE of the endpoint (hold, resume, new address); returns our SDP answer. */
  answerEndpointOffer(sdp: string, legId?: string): Promise<string>;
  /** Makes this leg the one that speaks with the customer; the one before hears silence. */
  useEndpoint(legId: string): void;
  /** Closes an endpoint leg, and resolves when its port is free. Unknown ones do nothing. */
  closeEndpoint(legId: string): Promise<void>;
  /**
   * Lets a leg, opened like any other, hear the customer and the bridged endpoint; by its mode
   * it is heard as well. Asked again it changes the mode. While the call is on hold the customer
   * is out of it, so hold and `whisper` together are a consultation of the two endpoints.
   */
  addListener(legId: string, mode: ListenerMode): void;
  removeListener(legId: string): void;
  /** From now until `bridge()` the customer hears a ringing tone instead of silence. */
  ringMeanwhile(): void;
  /** Lets audio pass both ways. Before this the customer hears silence, or a ringing tone. */
  bridge(): void;
  /**
   * The customer hears `sound` over and over (hold music when none is named), the endpoint
   * silence. Signalling toward WhatsApp knows nothing of it. May be called twice.
   */
  hold(sound?: Sound): void;
  resume(): void;
  /** What is said on a muted leg reaches nobody, recorders included; its digits still do. */
  setMuted(leg: MediaLeg, muted: boolean, legId?: string): void;
  /**
   * Plays a sound toward a leg, in place of all that it would hear otherwise, and returns the
   * number that its one `played` event will carry. It waits its turn behind what plays already,
   * a loop included at the end of its round; `interrupt` ends all that first.
   */
  play(leg: MediaLeg, sound: Sound, options: PlayOptions): number;
  /** Ends what plays toward a leg and what waits to. */
  stopPlaying(leg: MediaLeg, legId?: string): void;
  /**
   * Sends RFC 4733 digits ('0'-'9', '*', '#', 'A'-'D') on a leg; those for an endpoint that takes
   * none come back as `unsentDigit`.
   */
  sendDtmf(leg: MediaLeg, digits: string, legId?: string): void;
  /**
   * Records what is heard from both sides into a sealed file, beside the call: no trouble of a
   * disk is ever the call's. Answers with how far the recording is, null where there is none;
   * `stop` waits a moment for the disk. What ends by itself says `recordingEnded`.
   */
  record(order: RecordingOrder): Promise<RecordingFigures | null>;
  stats(): Promise<MediaStats>;
  /** Releases everything and returns the last figures. */
  close(): Promise<MediaStats>;
};

/**
 * A packet of sound that came in from the customer or the endpoint in use, and is not muted, as it
 * came. `payload` may be looked at during this call only; the timestamp is RTP's own and starts
 * anew where the source changes.
 */
export type FrameTap = (
  leg: MediaLeg,
  codec: EndpointCodec,
  payload: Uint8Array,
  timestamp: number,
) => void;

/** `endpoint` is the bridged one wherever no `legId` is given. */
export type MediaLeg = 'whatsapp' | 'endpoint';
/** The endpoint leg that is meant when nobody says which. */
export const MAIN_LEG = 'main';
/** Endpoint legs of one call at a time, listeners included. */
export const ENDPOINT_LEGS_MAX = 6;
/** Heard by nobody; by the bridged endpoint alone; by everybody. */
export type ListenerMode = 'listen' | 'whisper' | 'barge';

/** What can be played toward a leg. */
export type Sound =
  /** A file of 20 ms Opus frames as `sound-file.ts` writes it; read by the media worker. */
  { kind: 'opus'; path: string } | { kind: 'builtin'; name: BuiltinSound };
/** `ringing` and `hold_music` are made to be looped; `beep` and `silence` last half a second. */
export type BuiltinSound = 'ringing' | 'hold_music' | 'beep' | 'silence';

export type PlayOptions = {
  loop: boolean;
  interrupt: boolean;
  /** Which endpoint leg; the bridged one when it is absent. */
  legId?: string;
};

export type EndpointCodec = 'opus' | 'PCMU' | 'PCMA';

/** A suite of SRTP whose key came by SDP, or DTLS as with every browser. */
export type MediaSecurity = SrtpSuite | 'DTLS_SRTP';

export type EndpointMediaOptions = {
  /** It is an agent's browser: WebRTC with Opus. `codecs` and `srtp` do not matter then. */
  browser?: boolean;
  /** In order of preference; Opus first means no transcoding when the endpoint takes it. */
  codecs: readonly EndpointCodec[];
  /** Address written into c= and o=; must be one of ours. */
  advertisedAddress: string;
  /** Offer SRTP and nothing else. */
  srtp: boolean;
  /** What the customer hears while this endpoint holds the call; hold music when absent. */
  holdSound?: Sound;
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
  /** ICE found a way, and the encryption on it could not be agreed. */
  | 'media_dtls_failed'
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
  | 'stopped'
  /** Nothing ever came, and the endpoint goes on repeating its SIP answer; told by signalling. */
  | 'ack_lost'
  /** Packets come, and since the call began each of them was silence: a muted microphone. */
  | 'muted';

/** `legId` stands in the events of every endpoint leg but `main`. */
export type MediaEvent =
  /** ICE and DTLS are up on the WhatsApp leg, or its keys are known by SDES. */
  | { kind: 'connected'; keyExchange?: KeyExchange }
  /** The first RTP packet with audio came in on a leg. */
  | { kind: 'firstAudio'; leg: MediaLeg; legId?: string }
  | { kind: 'dtmf'; leg: MediaLeg; digit: string; durationMs: number; legId?: string }
  /**
   * A digit for an endpoint whose SDP has no telephone-event, the customer's own included: it has
   * to get there by signalling, and goes no other way.
   */
  | { kind: 'unsentDigit'; leg: 'endpoint'; digit: string; durationMs?: number; legId?: string }
  /**
   * The end of a sound, once for each `play`: `completed` when its last frame was sent, else it
   * was stopped, interrupted, there was no such leg, or it could not be played: then `trouble` is
   * the code of the failure, or `sound_queue_full` where too many waited before it.
   */
  | {
      kind: 'played';
      leg: MediaLeg;
      playId: number;
      completed: boolean;
      trouble?: string;
      legId?: string;
    }
  /**
   * No RTP or RTCP came in on a leg for `silentMs`; once per silence, `heard` when it ends.
   * Watched from `bridge()` on, and not on an endpoint leg that is on hold.
   */
  | { kind: 'silent'; leg: MediaLeg; silentMs: number; cause: SilenceCause; legId?: string }
  /** Both are connected, and for `silentMs` neither made a sound; once per such time. */
  | { kind: 'deadAir'; silentMs: number }
  | { kind: 'heard'; leg: MediaLeg; legId?: string }
  /** A browser that was connected is gone without our doing: the agent's tab or network. */
  | { kind: 'endpointGone'; legId: string }
  /** A recording ended before it was told to; what is on the disk is kept. */
  | { kind: 'recordingEnded'; recordingId: string; trouble: RecordingTrouble }
  /** The WhatsApp leg is gone without our doing. Nothing more can be heard: end the call. */
  | { kind: 'lost'; cause: MediaLostCause };

export type LegStats = {
  packetsIn: number;
  packetsOut: number;
  /** From sequence numbers, RFC 3550 appendix A.3. */
  packetsLost: number;
  /** Came after their turn and were not played; known only where we transcode. */
  packetsLate: number;
  /** RFC 3550 section 6.4.1, in milliseconds. */
  jitterMs: number;
  /** Round trip by RTCP, the latest; null while the far side has echoed no report. */
  rttMs: number | null;
  /** How what came in on this leg sounded, 1 to 4.4 (E-model); null when nothing came. */
  mos: number | null;
  /** What the far side reports of our stream to it; null when it sends no reports. */
  far: FarStats | null;
  /** Milliseconds since the epoch, from the worker's clock. */
  firstPacketInAt: number | null;
  firstPacketOutAt: number | null;
  /** The first packet in that was not silence. */
  firstSoundInAt: number | null;
  /** How many keys were pressed there (RFC 4733), not which. */
  dtmfIn: number;
};

export type FarStats = { packetsLost: number; jitterMs: number; mos: number };

export type MediaStats = {
  codec: EndpointCodec | null;
  transcoded: boolean;
  /** How the audio toward the bridged endpoint is encrypted; null when it is plain RTP. */
  srtp: MediaSecurity | null;
  /** ICE found a way to Meta; milliseconds since the epoch. */
  iceConnectedAt: number | null;
  /** DTLS was done too, or the keys came by SDES: from here on audio can pass. */
  connectedAt: number | null;
  /** How the audio toward WhatsApp is encrypted; null while it is not connected. */
  whatsappSrtp: MediaSecurity | null;
  /** What WhatsApp's leg speaks; null while it is not connected. */
  whatsappCodec: EndpointCodec | null;
  whatsapp: LegStats;
  endpoint: LegStats;
};
