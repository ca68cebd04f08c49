import { Failure, type FailureSide, type Verdict } from '../platform/failure.ts';

/**
 * The face of Meta's WhatsApp Cloud API. Meta's words (snake_case, wacid, wamid) stop in this
 * folder: everything outside sees the types below. Whether the other side is Meta or the
 * simulator is decided by `LineAccess` alone; nothing in here asks.
 */
export type LineAccess = {
  /** `https://graph.facebook.com` or the simulator's URL, without a trailing slash. */
  graphBaseUrl: string;
  /** `v23.0` */
  graphVersion: string;
  phoneNumberId: string;
  wabaId: string;
  accessToken: string;
};

/** How Meta names a person: digits of the number, and/or the business-scoped user id. */
export type Person = {
  waId?: string;
  userId?: string;
  parentUserId?: string;
  profileName?: string;
};

export type SentMessage = { messageId: string; waId?: string; userId?: string };

export type TemplateMessage = {
  name: string;
  language: string;
  /** Body variables {{1}}, {{2}} … in order. */
  variables: readonly string[];
  /** For a template with a call button: what its button is to carry. */
  callButton?: Pick<CallButton, 'ttlMinutes' | 'payload'>;
};

/** `to` is digits or E.164; `userId` (BSUID) is used when there is no number. */
export type Recipient = { to?: string; userId?: string };

export type WhatsAppClient = {
  sendTemplate(
    line: LineAccess,
    to: Recipient,
    template: TemplateMessage,
    opaque: string,
  ): Promise<SentMessage>;
  sendText(line: LineAccess, to: Recipient, text: string, opaque: string): Promise<SentMessage>;
  /** Meta's native free-form request; only inside the open 24 h window. */
  sendCallPermissionRequest(
    line: LineAccess,
    to: Recipient,
    text: string,
    opaque: string,
  ): Promise<SentMessage>;
  /** A free-form message with a call button; only inside the open 24 h window. */
  sendCallButton(
    line: LineAccess,
    to: Recipient,
    message: { text: string; button: CallButton },
    opaque: string,
  ): Promise<SentMessage>;
  /** A free-form message with a list behind a button; only inside the open 24 h window. */
  sendList(line: LineAccess, to: Recipient, list: ChoiceList, opaque: string): Promise<SentMessage>;
  /**
   * POST /calls action=connect. A `WhatsAppFailure` with side `indeterminate` means nobody knows
   * whether the phone rings: never call again, reconcile by `opaque`.
   */
  connectCall(
    line: LineAccess,
    to: Recipient,
    sdp: string,
    opaque: string,
  ): Promise<{ wacid: string }>;
  /** Ends or cancels a call; "already ended" counts as success. */
  terminateCall(line: LineAccess, wacid: string): Promise<void>;
  callPermissions(line: LineAccess, person: Recipient): Promise<CallPermissions>;
  readSettings(line: LineAccess): Promise<CallingSettings>;
  /** Changes what is named and leaves the rest. */
  updateCalling(line: LineAccess, calling: CallingChange): Promise<void>;
  createTemplate(
    line: LineAccess,
    template: TemplateDraft,
  ): Promise<{ id: string; status: string }>;
  /** Replaces the content of a template Meta has; it goes through review again. */
  editTemplate(line: LineAccess, metaId: string, template: TemplateDraft): Promise<void>;
  deleteTemplate(line: LineAccess, template: { name: string; metaId: string }): Promise<void>;
  listTemplates(line: LineAccess): Promise<ListedTemplate[]>;
  /** GET /{phone number id}?fields=… : used by the go-live checklist to prove token and number. */
  readPhoneNumber(
    line: LineAccess,
  ): Promise<{ displayPhoneNumber: string; verifiedName?: string; qualityRating?: string }>;
  readSubscribedApps(line: LineAccess): Promise<string[]>;
  close(): Promise<void>;
};

export type CallPermissions = {
  status: 'none' | 'temporary' | 'permanent' | 'unknown';
  expiresAt: number | null;
  canRequest: boolean;
  canCall: boolean;
  limits: Array<{
    action: string;
    period: string;
    max: number;
    used: number;
    resetsAt: number | null;
  }>;
};

/** DTLS where Meta says nothing. */
export type MetaKeyExchange = 'dtls' | 'sdes';
export type CallingChange = {
  enabled?: boolean | undefined;
  keyExchange?: MetaKeyExchange | undefined;
  /** Whoever calls the business, and is not answered, may be called back. */
  callback?: boolean | undefined;
  /** Null: customers may call at any time. */
  hours?: CallHours | null | undefined;
};

/** When customers may call the business; Meta shows them no call button outside of it. */
export type CallHours = {
  zone: string;
  /** Days from 1, Monday, to 7; times as 09:00, of one day. */
  open: ReadonlyArray<{ days: readonly number[]; from: string; to: string }>;
  /** Dates without calls, such as 2026-12-24. */
  closed: readonly string[];
};

export type CallingSettings = {
  enabled: boolean;
  sipEnabled: boolean;
  keyExchange: MetaKeyExchange;
  callback: boolean;
  hours: CallHours | null;
  restrictions: Array<{ type: string; reason?: string; expiresAt: number | null }>;
};

/** A template as it is written; the same shape comes back in the list. */
export type TemplateDraft = {
  name: string;
  language: string;
  category: 'UTILITY' | 'MARKETING';
  header: string | null;
  body: string;
  /** One sample value per variable of the body, in order. */
  samples: readonly string[];
  footer: string | null;
  /** Quick replies, or a button with which the customer calls (VOICE_CALL). */
  buttons: ReadonlyArray<{ kind: 'quick_reply' | 'call'; text: string }>;
  /** Meta's own permission request; may not be combined with buttons. */
  nativePermissionRequest: boolean;
};

/** A template as Meta lists it. */
export type ListedTemplate = {
  id: string;
  name: string;
  language: string;
  /** Meta's word: PENDING, APPROVED, REJECTED, PAUSED … */
  status: string;
  category: string;
  rejectedReason: string | null;
  /** GREEN, YELLOW, RED; null while Meta has not rated it. */
  quality: string | null;
  /** Null for what cannot be sent from here: media headers, links, several languages … */
  draft: TemplateDraft | null;
};

/** A message with which the customer can call the business. */
export type CallButton = {
  /** At most 20 characters. */
  label: string;
  /** How long the button works, 1 to 43200 minutes. */
  ttlMinutes: number;
  /** Comes back with the call; at most 512 characters. */
  payload: string | null;
};

/** Meta takes 10 rows; a title has at most 24 characters, the button 20, an id 200. */
export type ChoiceList = {
  text: string;
  button: string;
  rows: ReadonlyArray<{ id: string; title: string }>;
};

/** Meta said no, or did not answer. `metaCode` decides; HTTP 401 also means 138000 and 138006. */
export class WhatsAppFailure extends Failure {
  readonly metaCode: number | null;
  readonly httpStatus: number | null;
  readonly traceId: string | null;
  /** From Retry-After or the error's details. */
  readonly retryAfterMs: number | null;

  constructor(spec: {
    code: string;
    message: string;
    fix: string;
    verdict: Verdict;
    side: FailureSide;
    metaCode?: number | null;
    httpStatus?: number | null;
    traceId?: string | null;
    retryAfterMs?: number | null;
    cause?: unknown;
  }) {
    super(spec);
    this.metaCode = spec.metaCode ?? null;
    this.httpStatus = spec.httpStatus ?? null;
    this.traceId = spec.traceId ?? null;
    this.retryAfterMs = spec.retryAfterMs ?? null;
  }
}

/** One thing Meta told us, taken out of a webhook body. `at` is Meta's own time in ms. */
export type WhatsAppFact = {
  /** Same fact, same key: what deduplication rests on. */
  key: string;
  /** The WhatsApp Business account the body was about. */
  wabaId?: string;
  /** Empty for facts about a whole account (templates, restrictions). */
  phoneNumberId: string;
  at: number;
  person: Person;
} & FactDetail;

export type MetaError = { code: number; message: string; details?: string };

export type FactDetail =
  | {
      kind: 'callConnect';
      wacid: string;
      opaque?: string;
      direction: 'business' | 'user';
      sdp: string;
    }
  | {
      kind: 'callStatus';
      wacid: string;
      opaque?: string;
      status: 'ringing' | 'accepted' | 'rejected';
    }
  | {
      kind: 'callTerminate';
      wacid: string;
      opaque?: string;
      direction: 'business' | 'user';
      completed: boolean;
      startedAt: number | null;
      endedAt: number | null;
      durationSeconds: number | null;
      errors: MetaError[];
    }
  | {
      kind: 'permissionReply';
      messageId: string;
      response: 'accept' | 'reject';
      permanent: boolean;
      expiresAt: number | null;
      source: 'user' | 'automatic';
      /** wamid of our request or wacid of a call; absent when given in the business profile. */
      contextId?: string;
    }
  /**
   * The person named by the fact has another number, another user id, or both. Meta gives a new
   * user id with each new number (system messages webhook, August 2026).
   */
  | { kind: 'personChanged'; messageId: string; newWaId?: string; newUserId?: string }
  /** A quick reply of a template, or an interactive button. */
  | { kind: 'buttonReply'; messageId: string; text: string; payload?: string; contextId?: string }
  | { kind: 'text'; messageId: string; text: string; contextId?: string }
  | {
      kind: 'messageStatus';
      messageId: string;
      opaque?: string;
      status: 'sent' | 'delivered' | 'read' | 'failed';
      errors: MetaError[];
    }
  | {
      kind: 'templateStatus';
      metaId: string | null;
      name: string;
      language: string;
      event: string;
      reason?: string;
      /** What Meta advises to change. */
      advice?: string;
    }
  | {
      kind: 'templateQuality';
      metaId: string | null;
      name: string;
      language: string;
      quality: string;
    }
  | {
      kind: 'templateCategory';
      metaId: string | null;
      name: string;
      language: string;
      category: string;
      /** Set while the change is only announced, a day ahead. */
      comingCategory?: string;
    }
  | {
      kind: 'accountUpdate';
      event: string;
      restrictions: Array<{ type: string; expiresAt: number | null }>;
      /** Digits of the business number, where Meta names one; it sends no id here. */
      displayNumber?: string;
      /** A warning such as LOW_BUSINESS_INITIATED_CALLING_QUALITY. */
      violation?: string;
    }
  | { kind: 'settingsUpdate' }
  /**
   * Anything we do not know (yet): recorded, answered 200. `field` is a path such as
   * `calls.call_recording_available` or `messages.audio`; the latter still opens the 24 h window.
   */
  | { kind: 'unknown'; field: string };
