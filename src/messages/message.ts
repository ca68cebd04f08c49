import type {
  AccountId,
  CallId,
  ContactId,
  Id,
  LineId,
  PermissionRequestId,
} from '../platform/ids.ts';

/** A WhatsApp message on its way to a contact: written with the decision, sent by the worker. */
export type MessageId = Id<'message'>;

export type MessageContent =
  | {
      kind: 'template';
      name: string;
      language: string;
      variables: string[];
      /** What its quick replies mean, as they were when it was sent. */
      replies?: Array<{ text: string; means: 'yes' | 'no' | 'other' }>;
      callButton?: { ttlMinutes: number; payload: string | null };
    }
  /** Meta's own request, free-form: it follows a quick reply that said yes. */
  | { kind: 'native_request'; text: string }
  | {
      kind: 'call_button';
      text: string;
      label: string;
      ttlMinutes: number;
      payload: string | null;
    }
  /** How satisfied the person was with a call: a list of 1 to 5 behind one button. */
  | { kind: 'survey'; callId: CallId; text: string; button: string }
  | { kind: 'text'; text: string };

/** Whether it has a button by which the customer calls the business. */
export function invitesCall(content: MessageContent): boolean {
  if (content.kind === 'template') return content.callButton !== undefined;
  return content.kind === 'call_button';
}

/**
 * `queued` waits for the worker; `sending` is leased; `unknown` means Meta's answer was lost, so
 * it is never sent again: the status webhook carries our id and tells what became of it.
 */
export type MessageStatus = 'queued' | 'sending' | 'sent' | 'failed' | 'unknown';

export type Message = {
  id: MessageId;
  accountId: AccountId;
  contactId: ContactId;
  lineId: LineId;
  /** Set when the message asks for permission. */
  requestId: PermissionRequestId | null;
  content: MessageContent;
  status: MessageStatus;
  wamid: string | null;
  dueAt: number;
  /** The turn that it took on a slowed line; absent where it needed none. */
  turnAt?: number | null;
  attempts: number;
  lastError: string | null;
  createdAt: number;
  /** What became of it at the customer's phone; absent while nothing is known. */
  deliveredAt?: number | null;
  readAt?: number | null;
  failure?: { code: string; message: string; fix: string } | null;
};

/** What became of a message of ours, from Meta's answer or from one of its webhooks. */
export type MessageNews = { at: number } & (
  | { type: 'sent'; wamid: string }
  | { type: 'delivered' | 'read' }
  | { type: 'failed'; code: string; message: string; fix: string }
);
