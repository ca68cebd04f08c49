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
  /**
   * Asks a target whether it is there (OPTIONS, RFC 3261 section 11). Never rejects: a target
   * that cannot be reached is 503, one that says nothing in `timeoutMs` (5 s unless told) is 408.
   */
  options(target: SipTarget, timeoutMs?: number): Promise<OptionsOutcome>;
  /** A registration at the target's host, as its user name; nothing is sent yet. */
  registration(target: SipTarget): SipRegistration;
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
  /** Takes the place of another dialog at the target (RFC 3891), as in an attended transfer. */
  replaces?: ReplacedDialog;
  /** Who asked for this call by REFER: the Referred-By value of the `referred` event (RFC 3892). */
  referredBy?: string;
  /**
   * Whether a 3xx may be followed to this URI. Absent: no redirect is followed. Credentials never
   * go to another host than the target's own.
   */
  mayFollow?: (uri: string) => boolean;
};

/** A dialog as a Replaces header names it: the tags as the header's receiver sees them. */
export type ReplacedDialog = {
  callId: string;
  toTag: string;
  fromTag: string;
  /** Only while it still rings. */
  earlyOnly?: boolean;
};

export type OptionsOutcome = { status: number; reason: string; roundTripMs: number };

export type SipRegistration = {
  /** Sends REGISTER; 0 takes it back. Never rejects: silence is 408, no way to send is 503. */
  send(expiresSeconds: number, timeoutMs?: number): Promise<RegisterOutcome>;
};

export type RegisterOutcome = {
  status: number;
  reason: string;
  /** For how long it holds; null where the registrar did not take it, or did not say. */
  expiresSeconds: number | null;
  /** With 423: what the registrar wants at least. */
  minExpiresSeconds: number | null;
};

/** What became of an offer of ours inside the dialog; without an answer, why. */
export type ReofferOutcome = { sdp: string } | { status: number; reason: string };

/**
 * How many of the keys the peer has taken, and why not all: it refused one, or its Allow names no
 * INFO so that none was sent; it did not answer in time; or there is no answered call.
 */
export type InfoDtmfOutcome = {
  taken: number;
  trouble: 'refused' | 'unanswered' | 'over' | null;
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
  /** The peer asks us to call somebody else (REFER): its transfer. See `Referral`. */
  | ({ kind: 'referred' } & Referral)
  /**
   * How our own `refer` goes on. A status of 200 or more with `final` is its outcome: 2xx means
   * that the other side reached the target. 202 without `final` means that it will try.
   */
  | { kind: 'referProgress'; status: number; reason: string; final: boolean }
  /** The endpoint sent its 2xx once more: our ACK was late or lost, and was sent again. */
  | { kind: 'answerRepeated' }
  /** A key pressed at the endpoint that came by SIP INFO. */
  | { kind: 'infoDtmf'; digit: string; durationMs: number }
  /** The dialog is over. `by: 'us'` follows our own `hangUp`. */
  | { kind: 'ended'; by: 'us' | 'endpoint'; reason?: string };

/**
 * A REFER of the peer (RFC 3515). `accept` or `reject` within 10 s, else it is refused with 480;
 * after `accept`, `notify` tells how the call to the target goes: 1xx on the way, and one status
 * of 200 or more at the end. The wrong method at the wrong time does nothing.
 */
export type Referral = {
  /** The URI of Refer-To without its headers. It may be `tel:` or anything else: check it. */
  target: string;
  replaces?: ReplacedDialog;
  referredBy?: string;
  accept(): void;
  notify(status: number, reason: string): void;
  reject(status: number, reason: string): void;
};

export type SipCall = {
  /** The Call-ID header, for the CDR. */
  readonly sipCallId: string;
  /**
   * BYE when answered, CANCEL before (and BYE if the 200 crosses it). `reason` becomes a Reason
   * header (RFC 3326), for example `Q.850;cause=16;text="customer hung up"`. May be called twice.
   * The end (`ended`, by us) is told before this returns.
   */
  hangUp(reason?: string): void;
  /**
   * Sends a new offer (re-INVITE). Never rejects; 491 of the peer is retried as RFC 3261 section
   * 14.1 says, and an offer of the peer that is under way goes first. One at a time: a second one
   * meanwhile is 491. Before the answer and after the end it is 481.
   */
  reoffer(sdp: string): Promise<ReofferOutcome>;
  /** Asks the peer to call somebody else (REFER). The outcome arrives as `referProgress`. */
  refer(target: string, replaces?: ReplacedDialog): void;
  /**
   * Presses keys by SIP INFO (application/dtmf-relay), each after the answer to the one before;
   * what is asked meanwhile waits its turn. Never rejects.
   */
  sendInfoDtmf(digits: string, durationMs?: number): Promise<InfoDtmfOutcome>;
  /**
   * This dialog as the other endpoint's Replaces would name it: to be given to the `refer` of
   * another call, which makes an attended transfer. Undefined before the answer.
   */
  replaceable(): ReplacedDialog | undefined;
};
