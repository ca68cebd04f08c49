import type { FailureEntry } from '../failure-codes.ts';

/** What can be wrong with audio that others offer or send. */
export const AUDIO_FAILURES: Readonly<Record<string, FailureEntry>> = {
  endpoint_sdp_refused: {
    title: 'The audio that the endpoint offers cannot be connected.',
    fix: 'Have it offer plain RTP with Opus, PCMU or PCMA at a literal IP address.',
  },
  sdp_too_large: { title: 'The SDP is too large.', fix: 'Look at who sends it.' },
  sdp_malformed: { title: 'The text is not SDP (RFC 8866).', fix: 'Look at who sends it.' },
  sound_file_unusable: {
    title: 'A prompt or music cannot be played.',
    fix: 'Upload it again; the message names what is wrong with the file.',
  },
  sdp_media_lines: {
    title: 'The answer has not exactly one audio line.',
    fix: 'Have the other side answer the one audio line of the offer.',
  },
  sdp_rejected: { title: 'The audio line is rejected.', fix: 'See why the other side refuses.' },
  sdp_protocol: {
    title: 'The transport is another than was offered.',
    fix: 'Endpoints speak plain RTP or SRTP, Meta DTLS-SRTP, or SRTP on a line set to SDES.',
  },
  sdp_fingerprint: {
    title: 'There is not exactly one usable DTLS fingerprint.',
    fix: 'If it happens again, report it with the log line of the call.',
  },
  sdp_crypto: {
    title: 'There is not exactly one usable key (a=crypto) of the suite that was offered.',
    fix: 'If it happens again, report it with the log line of the call, or set the line to DTLS.',
  },
  sdp_key_exchange: {
    title: 'The answer is for SDES and the offer was for DTLS, or the other way round.',
    fix: 'POST /v1/lines/{id}/key-exchange sets the line and Meta to the same.',
  },
  sdp_setup: {
    title: 'The DTLS roles do not fit.',
    fix: 'If it happens again, report it with the log line of the call.',
  },
  sdp_ice: {
    title: 'The ICE credentials or candidates are not usable.',
    fix: 'If it happens again, report it with the log line of the call.',
  },
  sdp_codec: { title: 'There is no codec in common.', fix: 'Allow Opus, PCMU or PCMA.' },
  sdp_address: {
    title: 'The address of the media is not one to send to.',
    fix: 'Have the PBX put a literal unicast IP address into its c= line.',
  },
};
