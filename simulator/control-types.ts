/**
 * The shapes of the simulator's control API: what a test, the demo or the page's phone reads from
 * `GET /simulator/state` and sends to `POST /simulator/people/{number}/actions`. Types only, so
 * the web page can import this file without pulling any server code in.
 *
 * Instants are RFC 3339 UTC texts. Numbers are E.164 with a plus.
 */
export type SimulatorState = {
  at: string;
  /** Base URL of the simulated Graph API, without a trailing slash. */
  url: string;
  /** Where signed webhooks go; null until one is registered. */
  webhookUrl: string | null;
  media: boolean;
  lines: SimLine[];
  /** The people with something in their chat come first, newest activity first. At most 500. */
  people: SimPerson[];
  faults: SimFault[];
  /** The newest webhook deliveries, newest first. At most 500. */
  deliveries: SimDelivery[];
};

/** A business phone number that exists at the simulated Meta. */
export type SimLine = {
  phoneNumberId: string;
  wabaId: string;
  displayNumber: string;
  /** What the person's phone shows as the caller. */
  businessName: string;
  callingEnabled: boolean;
  sipEnabled: boolean;
  restricted: boolean;
};

export type SimPerson = {
  /** E.164: also the key in control URLs (`/simulator/people/%2B447700900001`). */
  number: string;
  name: string;
  /** One sentence: what this person does by themselves. */
  about: string;
  /** True when nothing happens until somebody acts for them. */
  interactive: boolean;
  username: string | null;
  /** Business-scoped user id (BSUID) toward the preset business. */
  userId: string;
  /** True when webhooks leave this person's number out. */
  hidesNumber: boolean;
  /** Numbers this person had before, oldest first. */
  formerNumbers: string[];
  /** Oldest first, at most 500. */
  messages: SimMessage[];
  /** Toward each line this person had to do with. */
  permissions: SimPermission[];
  /** The call that rings or is up now. */
  call: SimCall | null;
  /** Ended calls, newest first, at most 500. */
  pastCalls: SimCall[];
  /** True while a browser is attached as this person's phone. */
  phoneAttached: boolean;
};

export type SimPermission = {
  phoneNumberId: string;
  status: 'no_permission' | 'temporary' | 'permanent';
  /** Only for a temporary permission. */
  expiresAt: string | null;
  unansweredInARow: number;
  /** Until when the business may write free-form messages; null when closed. */
  windowOpenUntil: string | null;
};

export type SimMessage = {
  /** Meta's message id (`wamid.…`). */
  id: string;
  at: string;
  phoneNumberId: string;
  from: 'business' | 'person' | 'whatsapp';
  kind:
    | 'text'
    | 'template'
    | 'permission_request'
    | 'permission_reply'
    | 'button_reply'
    | 'call_button'
    | 'list'
    | 'system';
  header: string | null;
  text: string;
  footer: string | null;
  /** In the order the phone shows them; empty when there is nothing to tap. */
  buttons: SimButton[];
  /** Delivery ticks of a business message; null for the others. */
  status: 'accepted' | 'sent' | 'delivered' | 'read' | 'failed' | null;
  /** Only on `permission_request`. */
  request: SimPermissionRequest | null;
  /** The message this one answers. */
  replyTo: string | null;
};

export type SimButton = {
  text: string;
  /** The action to send when it is tapped; `tap` wants `{action:'tap', text, messageId}`. */
  action: 'allow' | 'allow_always' | 'not_now' | 'tap' | 'call_business';
  enabled: boolean;
  /** What the business gets back; the text when left out. */
  payload?: string;
};

export type SimPermissionRequest = {
  state: 'open' | 'allowed' | 'allowed_always' | 'declined' | 'lapsed';
  answeredAt: string | null;
  /** The answer may be given or changed until then. */
  openUntil: string;
};

export type SimCall = {
  /** Meta's call id (`wacid.…`). */
  id: string;
  phoneNumberId: string;
  /** The branded name on the incoming-call screen. */
  businessName: string;
  businessNumber: string;
  direction: 'BUSINESS_INITIATED' | 'USER_INITIATED';
  state: 'dialing' | 'ringing' | 'answered' | 'ended';
  startedAt: string;
  ringingAt: string | null;
  answeredAt: string | null;
  endedAt: string | null;
  /** Why it ended; null while it lives. */
  ending: SimCallEnding | null;
  /** Meta's error code in the terminate webhook, e.g. 138021. */
  errorCode: number | null;
  /** Of the business's WebRTC leg; always `off` when the simulator runs without media. */
  media: 'off' | 'connecting' | 'connected' | 'lost';
  /** Tones the person hears right now, in Hz, ascending. */
  heardHz: number[];
  /** Every tone heard in this call, in Hz, ascending. */
  everHeardHz: number[];
  /** Digits the business sent and the person's phone heard (RFC 4733). */
  digitsHeard: string;
  digitsSent: string;
  packetsIn: number;
  packetsOut: number;
};

export type SimCallEnding =
  | 'person_hung_up'
  | 'business_hung_up'
  | 'business_cancelled'
  | 'declined'
  | 'no_answer'
  | 'unreachable'
  | 'media_lost'
  | 'failed';

/** Body of `POST /simulator/people/{number}/actions`. Answers 200 with the `SimPerson`. */
export type PersonAction =
  /** `messageId` picks a request; without it the newest open one is answered. */
  | { action: 'allow' | 'allow_always' | 'not_now'; messageId?: string }
  /** Taps a quick reply by its text. */
  | { action: 'tap'; text: string; messageId?: string }
  | { action: 'answer' | 'decline' | 'hang_up' }
  /** RFC 4733 digits 0-9, * and #, while answered. */
  | { action: 'digits'; digits: string }
  /** Types a message to the business; opens its 24 h window. */
  | { action: 'write'; text: string; phoneNumberId?: string }
  /** Sets the permission in the business profile; `allow_in_profile` is always permanent. */
  | { action: 'revoke' | 'allow_in_profile'; phoneNumberId?: string }
  | { action: 'call_business'; phoneNumberId?: string }
  /** Moves to another number, which brings another user id. */
  | { action: 'change_number'; newNumber: string }
  /** Keeps the number and gets another user id, as WhatsApp may do by itself. */
  | { action: 'change_user_id' }
  /** Stops or restarts what this person's phone sends. */
  | { action: 'lose_media' | 'resume_media' };

/** Body of `POST /simulator/people`. */
export type PersonDraft = {
  number: string;
  name?: string;
  username?: string;
  hidesNumber?: boolean;
  /** Number of a sentinel person whose script this one follows, e.g. `+447700900100`. */
  like?: string;
};

/** Body of `POST /simulator/lines`; what is left out is made up. */
export type LineDraft = {
  phoneNumberId?: string;
  wabaId?: string;
  displayNumber: string;
  businessName: string;
  callingEnabled?: boolean;
  accessToken?: string;
};

/** Body of `POST /simulator/templates/{id}`: what Meta decides; each part is told by webhook. */
export type TemplateDecision = {
  status?: 'PENDING' | 'APPROVED' | 'REJECTED' | 'PAUSED' | 'DISABLED';
  /** Why, in Meta's words, such as TAG_CONTENT_MISMATCH. */
  reason?: string;
  quality?: 'GREEN' | 'YELLOW' | 'RED' | 'UNKNOWN';
  category?: 'UTILITY' | 'MARKETING';
  /** Announces a change of category a day ahead. */
  comingCategory?: 'UTILITY' | 'MARKETING';
};

export type FaultKind =
  | 'duplicate_webhook'
  | 'reorder_webhooks'
  | 'delay_webhook'
  | 'drop_webhook'
  | 'wrong_signature'
  | 'two_in_one_delivery'
  | 'unknown_event'
  | 'missing_contacts'
  | 'bsuid_only'
  | 'integer_times'
  | 'string_times'
  | 'terminate_before_connect'
  | 'connect_before_response'
  | 'setup_actpass'
  | 'sdp_without_fingerprint'
  | 'sdp_sha1_fingerprint'
  | 'sdp_without_crypto'
  | 'sdp_wrong_suite'
  | 'sdp_short_key'
  | 'sdp_garbage'
  | 'lost_answer'
  | 'server_error'
  | 'html_answer'
  | 'slow_answer';

/** Body of `POST /simulator/faults`; answers 201 with the `SimFault`. */
export type FaultDraft = {
  kind: FaultKind;
  /** How often it strikes before it goes away; without it, until it is deleted. */
  times?: number;
  /** Chance of striking each time it could, 0 to 1; 1 when left out. */
  probability?: number;
  /** For the delaying kinds, in milliseconds. */
  delayMs?: number;
  /**
   * For the webhook kinds: only deliveries of this event (`connect`, `terminate`, `RINGING`,
   * `ACCEPTED`, `REJECTED`, `call_permission_reply`, `sent` …). For the answer kinds: the
   * resource (`calls`, `messages`, `call_permissions`, `settings` …; every one when left out).
   */
  on?: string;
};

export type SimFault = FaultDraft & { id: string; struck: number };

export type SimDelivery = {
  id: string;
  at: string;
  /** What it carries: `connect`, `RINGING`, `delivered`, `text` … */
  event: string;
  attempts: number;
  state: 'waiting' | 'delivered' | 'given_up';
  /** HTTP status of the last attempt; null when there was no answer. */
  lastStatus: number | null;
};

/** Body of `POST /simulator/people/{number}/phone` and of its 200 answer. */
export type PhoneSession = { type: 'offer' | 'answer'; sdp: string };

/** Every 4xx of the control API. */
export type ControlError = { error: { code: string; message: string; fix: string } };
