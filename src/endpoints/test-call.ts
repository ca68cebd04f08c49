import type { EndpointCodec, SilenceCause } from '../media/media.ts';

/**
 * What a test call found out, in plain words. Pure: what happened goes in, what is wrong and what
 * to do about it comes out.
 */
export type TestOutcome =
  /** The guard says no; nothing was sent. */
  | { kind: 'guarded'; code: string; message: string; fix: string }
  | { kind: 'failed'; status: number; reason: string }
  /** Answered, but its SDP cannot be used. */
  | { kind: 'unusable'; detail: string }
  /** No media could be opened on our side. */
  | { kind: 'no_media'; detail: string }
  /** Answered; `silence` is why nothing was heard, null when something was. */
  | { kind: 'answered'; heard: TestAudio; silence: SilenceCause | null }
  /** Answered, and it hung up before the test was over. */
  | { kind: 'hung_up'; afterMs: number; heard: TestAudio };

export type TestAudio = {
  codec: EndpointCodec;
  srtp: boolean;
  answeredMs: number;
  /** From the answer to the first audio; null when none came. */
  firstAudioMs: number | null;
};

export type TestFinding = {
  ok: boolean;
  /** Stable, for programs. */
  code: string;
  /** One sentence each, for people. */
  what: string;
  fix: string | null;
};

/** Longer than this and a caller who has picked up may have given up. */
const SLOW_MS = 5_000;

export function findingOf(outcome: TestOutcome): TestFinding {
  switch (outcome.kind) {
    case 'guarded':
      return bad(outcome.code, outcome.message, outcome.fix);
    case 'failed':
      return failedFinding(outcome.status, outcome.reason);
    case 'unusable':
      return bad(
        'codec_refused',
        `It answered with audio that we cannot use: ${outcome.detail}`,
        'Allow Opus, PCMU or PCMA there, and the same SRTP setting on both sides.',
      );
    case 'no_media':
      return bad(
        'no_media_port',
        `No media could be opened on our side: ${outcome.detail}`,
        'Widen ASKFIRST_MEDIA_PORTS, or call again when fewer calls are live.',
      );
    case 'hung_up':
      return hungUpFinding(outcome.afterMs, outcome.heard);
    case 'answered':
      return outcome.silence === null ? heardFinding(outcome.heard) : silent(outcome.silence);
  }
}

function heardFinding({ codec, srtp, answeredMs, firstAudioMs }: TestAudio): TestFinding {
  const secured = srtp ? 'encrypted' : 'plain';
  const heard = `Answered after ${seconds(answeredMs)} and heard in ${codec}, ${secured} RTP`;
  if ((firstAudioMs ?? 0) < SLOW_MS && answeredMs < SLOW_MS) {
    return works('ok', `${heard}.`, null);
  }
  return works(
    'slow',
    `${heard}, but it took ${seconds(answeredMs + (firstAudioMs ?? 0))} to the first audio.`,
    'Let it answer faster, or use the strategy on_ringing or agent_first.',
  );
}

/** RFC 3261 section 13.3.1.4: without our ACK it sends its 200 for 32 s, and hangs up then. */
function hungUpFinding(afterMs: number, { firstAudioMs }: TestAudio): TestFinding {
  if (firstAudioMs === null) {
    return bad(
      'ack_late',
      `It answered and hung up after ${seconds(afterMs)} without having sent audio.`,
      'Most often our ACK does not reach it: check that it can reach the address in our Contact ' +
        '(ASKFIRST_ADVERTISED_ADDRESS), and no firewall or proxy changes it.',
    );
  }
  return works(
    'hung_up',
    `It was heard, and hung up by itself after ${seconds(afterMs)}.`,
    'Look at its dial plan: a caller should be kept until somebody speaks with them.',
  );
}

const SILENCES: Readonly<Record<SilenceCause, [string, string]>> = {
  wrong_address: [
    'Its audio comes from another address or port than its SDP names, so it is dropped.',
    'Let it write its real address into its SDP (behind NAT: its external address).',
  ],
  wrong_codec: [
    'It sends audio in a codec that was not agreed.',
    'Let it send only what its SDP answer names.',
  ],
  srtp_failed: [
    'Its encrypted audio does not fit the key in its SDP.',
    'Check that nothing between changes the SDP, and that it supports the suite it named.',
  ],
  never_sent: [
    'It answered, and no audio ever came.',
    'Open UDP from it to ASKFIRST_MEDIA_PORTS, check that ASKFIRST_ADVERTISED_ADDRESS is our ' +
      'address as it sees it, and that somebody there sends sound.',
  ],
  stopped: ['Audio came and stopped.', 'Look for a mute, or a hold, right after its answer.'],
  ack_lost: [
    'It repeats its answer, because our ACK does not reach it, and sends no audio before.',
    'Check its Contact and Record-Route, and NAT or a firewall between for SIP.',
  ],
  muted: [
    'It sends packets, but no sound is in them.',
    'Look for a mute or a dead microphone there; play an announcement when it answers.',
  ],
};

function silent(cause: SilenceCause): TestFinding {
  const [what, fix] = SILENCES[cause];
  return bad(cause === 'never_sent' ? 'no_audio' : cause, what, fix);
}

/** What our own side says when nothing could be sent: Node's words for it. */
const UNSENT: ReadonlyArray<[RegExp, string, string, string]> = [
  [
    /ENOTFOUND|EAI_AGAIN|ENODATA|no address|getaddrinfo/i,
    'dns',
    'The host name has no address.',
    'Correct the host in the URI, or the DNS of this server.',
  ],
  [
    /ECONNREFUSED/i,
    'connection_refused',
    'The host is there, but nothing listens on that port.',
    'Correct port and transport (udp, tcp, tls) in the URI; is the PBX running?',
  ],
  [
    /cert|self.signed|altname|ERR_TLS|unable to verify|SSL|EPROTO/i,
    'certificate',
    'The TLS certificate of the endpoint is not accepted.',
    'It must be valid, bear the host name of the URI, and be signed by a known authority; name ' +
      'your own authority in ASKFIRST_SIP_TLS_CA.',
  ],
  [
    /EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|timed? ?out|not reachable/i,
    'unreachable',
    'No way leads to the host.',
    'Check network and firewall between, and ASKFIRST_SIP_ADDRESS, which is loopback by default.',
  ],
];

const ANSWERS: Readonly<Record<number, [string, string, string]>> = {
  401: ['password', 'It does not take our password (401).', 'Correct user name and password.'],
  403: [
    'forbidden',
    'It may not be called by us (403).',
    'Allow the address of this server there.',
  ],
  404: ['not_found', 'It does not know this user (404).', 'Correct the part before the @.'],
  407: ['password', 'It does not take our password (407).', 'Correct user name and password.'],
  408: [
    'no_answer',
    'Nobody answered, or no word came back at all (408).',
    'Let it answer; where it says nothing at all, check host, port, transport and firewall.',
  ],
  480: ['not_there', 'Nobody is registered there just now (480).', 'Sign the agent or queue in.'],
  486: ['busy', 'It is busy (486).', 'Give the queue more places, or test again later.'],
  503: ['out_of_order', 'It says it is out of order (503).', 'Look at the PBX.'],
  600: ['busy', 'It is busy everywhere (600).', 'Give the queue more places.'],
  603: ['declined', 'It declined (603).', 'Look at the rules of the PBX.'],
};

const CODEC: [string, string, string] = [
  'codec_refused',
  'We share no codec, or it will not have our SRTP setting.',
  'Allow Opus, PCMU or PCMA, and set `srtp` of the endpoint as the PBX has it.',
];

function failedFinding(status: number, reason: string): TestFinding {
  const unsent = UNSENT.find(([words]) => status === 503 && words.test(reason));
  if (unsent !== undefined) {
    const [, code, what, fix] = unsent;
    return bad(code, `${what} (${reason.slice(0, 200)})`, fix);
  }
  if (status === 415 || status === 488 || status === 606) return bad(...CODEC);
  if (status >= 300 && status < 400) {
    return bad(
      'redirected',
      `It sends us elsewhere (${status}), where the VoIP guard does not let us follow.`,
      'Use the address it names, or add its host to allowedHosts (PUT /v1/voip-guard).',
    );
  }
  const known = ANSWERS[status];
  if (known !== undefined) return bad(...known);
  const side = status >= 500 ? 'has trouble of its own' : 'refused the call';
  return bad(
    status >= 500 ? 'out_of_order' : 'refused',
    `It ${side}: ${status} ${reason.slice(0, 200)}.`,
    'Look for that status in the log of the PBX.',
  );
}

function works(code: string, what: string, fix: string | null): TestFinding {
  return { ok: true, code, what, fix };
}

function bad(code: string, what: string, fix: string): TestFinding {
  return { ok: false, code, what, fix };
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
