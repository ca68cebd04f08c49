import { commandConsent } from '../consent/consent-commands.ts';
import type { ConsentCommand, ConsentRules } from '../consent/consent.ts';
import { noteNativeFailure } from '../consent/quick-reply-commands.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { PermissionRequestId } from '../platform/ids.ts';
import { noteSurveyNews } from '../surveys/survey-reply-commands.ts';
import { invitesCall, type Message, type MessageNews } from './message.ts';

/** Tells the consent, or the ledger, what became of a message. `before` is as it was stored. */
export async function foldNews(
  unit: ContactUnit,
  rulesOf: () => Promise<ConsentRules>,
  before: Message,
  news: MessageNews,
): Promise<void> {
  const { requestId, lineId, content } = before;
  if (content.kind === 'survey') return noteSurveyNews(unit, before, news);
  if (requestId === null) return tellOfCallButton(unit, before, news);
  const isNative = content.kind === 'native_request';
  // The first message got through, so the request stands, whatever becomes of the second.
  if (isNative && news.type === 'failed') {
    if (before.status !== 'failed') await noteNativeFailure(unit, lineId, requestId, news);
    return;
  }
  const command = commandOf(requestId, news, isNative);
  await commandConsent(unit, lineId, command, { rules: await rulesOf(), actor: 'meta' });
}

function commandOf(
  requestId: PermissionRequestId,
  news: MessageNews,
  native: boolean,
): ConsentCommand {
  const of = { requestId, at: news.at };
  switch (news.type) {
    case 'sent':
      return { type: 'RecordRequestSent', messageId: news.wamid, native, ...of };
    case 'delivered':
      return { type: 'RecordRequestDelivered', ...of };
    case 'read':
      return { type: 'RecordRequestRead', ...of };
    case 'failed': {
      const { code, message, fix } = news;
      return { type: 'RecordRequestFailed', code, message, fix, ...of };
    }
  }
}

/** Each step once, whichever of the two ways it is heard first. */
function tellOfCallButton(unit: ContactUnit, before: Message, news: MessageNews): void {
  if (!invitesCall(before.content)) return;
  const { id: messageId, lineId, status } = before;
  const { type, at } = news;
  const actor = 'meta';
  const data = { lineId, messageId };
  const announced = { callId: null, sequence: 0 } as const;
  if (type === 'failed') {
    if (status === 'failed') return;
    const failed = { ...data, code: news.code };
    const announce = { type: 'call_button.failed', ...announced, data: failed } as const;
    unit.record({ type: 'CallButtonFailed', actor, at, data: failed, announce });
  } else if (type === 'sent') {
    if (status === 'sent') return;
    const announce = { type: 'call_button.sent', ...announced, data } as const;
    unit.record({ type: 'CallButtonSent', actor, at, data, announce });
  } else if ((type === 'read' ? before.readAt : before.deliveredAt) === null) {
    unit.record({ type: STEPS[type], actor, at, data });
  }
}

const STEPS = { delivered: 'CallButtonDelivered', read: 'CallButtonRead' } as const;
