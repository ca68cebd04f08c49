/**
 * The SIP user agent (RFC 3261), as far as a gateway needs it: it places calls to the business's
 * endpoints. No proxying, no registrar. Signalling only: SDP bodies go through as text.
 *
 * Promises: every `invite` ends in exactly one of `failed` or `ended`, in finite time, whatever
 * the peer does or fails to do; nothing the network sends throws into the caller; passwords are
 * answered only to the configured target's own challenge.
 */
export type SipUserAgent = {
  /** Sends INVITE and reports what becomes of it. Never throws; trouble arrives as `failed`. */
  invite(request: InviteRequest, onEvent: (event: SipCallEvent) => void): SipCall;
  /**
   * Ends a dialog that another run of this program left behind: sends its BYE once. `saved` is
   * what came with `answered`; anything else is ignored.
   */
  endLost(saved: SavedDialog, target: SipTarget, reason?: string): void;
  /** Dialogs and transactions still alive, for the leak test. */
  liveCount(): number;
  /** BYEs or cancels all that lives, waits shortly, closes the sockets. */
  close(): Promise<void>;
};

export const SIP_TRANSPORTS = ['udp', 'tcp', 'tls'] as const;
export type SipTransportName = (typeof SIP_TRANSPORTS)[number];

/** What TLS needs, as PEM texts. */
export type SipTls = {
  /** Trusted beside the roots that come with Node: the operator's own authority. */
  authorities?: string;
  /** Ours, for listening and for peers that ask who we are. */
  certificate?: string;
  key?: string;
};

export type SipTarget = {
  /** `sip:user@host[:port][;transport=udp|tcp|tls]`, or `sips:` which means TLS. */
  uri: string;
  /** Digest credentials (RFC 8760: SHA-256 or MD5, qop=auth). */
  username?: string;
  password?: string;
  /** When set, challenges of any other realm stay unanswered. */
  realm?: string;
};

export type InviteRequest = {
  target: SipTarget;
  from: { user: string; displayName?: string };
  /** Extra headers, such as X-WA-Call-Id. Names and values are checked for line breaks. */
  headers: Readonly<Record<string, string>>;
  /** SDP offer. */
  offer: string;
  /** Milliseconds until an unanswered INVITE is cancelled and reported as 408. */
  ringTimeoutMs: number;
};

/** A dialog as plain JSON, to be kept with the call and given to `endLost` after a crash. */
export type SavedDialog = Record<string, unknown>;

export type SipCallEvent =
  /** 180, 183 and friends; the SDP of a 183 is early media. */
  | { kind: 'ringing'; status: number; sdp?: string }
  | { kind: 'answered'; sdp: string; dialog: SavedDialog }
  /** A final answer that is not 2xx, or none at all (408), or no way to send (503). */
  | { kind: 'failed'; status: number; reason: string }
  /** The other side sent an offer inside the dialog (hold, resume). Answer it with `reply`. */
  | { kind: 'offered'; sdp: string; reply: (answer: { sdp: string } | { status: number }) => void }
  /** The dialog is over. `by: 'us'` follows our own `hangUp`. */
  | { kind: 'ended'; by: 'us' | 'endpoint'; reason?: string };

export type SipCall = {
  /** The Call-ID header, for the CDR. */
  readonly sipCallId: string;
  /**
   * BYE when answered, CANCEL before (and BYE if the 200 crosses it). `reason` becomes a Reason
   * header (RFC 3326), for example `Q.850;cause=16;text="customer hung up"`. May be called twice.
   * The end (`ended`, by us) is told before this returns.
   */
  hangUp(reason?: string): void;
};
