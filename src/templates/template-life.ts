import { isDeepStrictEqual } from 'node:util';
import type { Refused } from '../platform/refusal.ts';
import type { TemplateDraft as MetaDraft } from '../whatsapp/whatsapp.ts';
import { meaningOfReply } from './quick-reply.ts';
import { lintTemplate } from './template-lint.ts';
import type { StoredTemplate, VersionedTemplate } from './template-store.ts';
import type { TemplateContent, TemplateDraft, TemplateStatus } from './template.ts';

/**
 * The life of a template at Meta, as rules: what a word of Meta's makes of its status, whether it
 * may be sent, and whether it may be submitted. Late news never undo newer ones.
 */
const STATUS_OF_WORD: Readonly<Record<string, TemplateStatus>> = {
  APPROVED: 'approved',
  REINSTATED: 'approved',
  UNARCHIVED: 'approved',
  PENDING: 'pending',
  IN_APPEAL: 'pending',
  REJECTED: 'rejected',
  PAUSED: 'paused',
  DISABLED: 'disabled',
  LOCKED: 'disabled',
  ARCHIVED: 'disabled',
  LIMIT_EXCEEDED: 'disabled',
  PENDING_DELETION: 'disabled',
  DELETED: 'disabled',
};

/** What Meta says of a template, in a webhook or in its list. */
export type MetaNews = {
  at: number;
  metaId?: string | null;
  /** Meta's word, such as PAUSED. FLAGGED and words we do not know leave the status as it is. */
  status?: string;
  reason?: string | null;
  advice?: string | null;
  quality?: string | null;
  category?: string;
  comingCategory?: string | null;
};

/** The template after the news; news of a status older than the one known change no status. */
export function afterNews<T extends StoredTemplate>(template: T, news: MetaNews): T {
  const status = STATUS_OF_WORD[news.status?.toUpperCase() ?? ''];
  const isNewer = status !== undefined && news.at >= template.statusAt;
  const category = news.category === 'UTILITY' || news.category === 'MARKETING';
  return {
    ...template,
    ...(isNewer ? { ...statusAfter(template, status, news), statusAt: news.at } : {}),
    ...(news.metaId ? { metaId: news.metaId } : {}),
    // A template we never submitted is at Meta all the same: its words are looked at by a sync.
    ...(isNewer && template.metaVersion === null ? { metaVersion: template.version } : {}),
    ...(news.quality === undefined ? {} : { quality: ratingOf(news.quality) }),
    ...(category ? { category: news.category } : {}),
    ...(news.comingCategory === undefined ? {} : { comingCategory: news.comingCategory }),
  };
}

/** Meta's list names fewer reasons than its webhooks: what was said of a status stays said. */
function statusAfter(before: StoredTemplate, status: TemplateStatus, news: MetaNews) {
  const needsReason = status !== 'approved' && status !== 'pending';
  if (!needsReason) return { status, reason: null, advice: null };
  const known = before.status === status ? before : { reason: null, advice: null };
  return {
    status,
    reason: news.reason ?? known.reason ?? news.status ?? null,
    advice: news.advice ?? known.advice,
  };
}

function ratingOf(word: string | null): string | null {
  return word === null || word === 'UNKNOWN' ? null : word;
}

/** Content that Meta shows, with what its quick replies mean; null without such content. */
export function contentOfMeta(draft: MetaDraft): TemplateContent {
  const { name: _name, language: _language, buttons, ...content } = draft;
  return {
    ...content,
    buttons: buttons.map(({ kind, text }) =>
      kind === 'call' ? { kind, text } : { kind, text, means: meaningOfReply(text) },
    ),
  };
}

/** Whether a customer would see the same; samples, category and meanings are not shown. */
export function isShownAlike(one: TemplateContent, other: TemplateContent): boolean {
  return isDeepStrictEqual(shown(one), shown(other));
}

function shown({ header, body, footer, buttons, nativePermissionRequest }: TemplateContent) {
  const texts = buttons.map(({ kind, text }) => `${kind} ${text}`).toSorted();
  return { header, body, footer, texts, nativePermissionRequest };
}

/** Why this template may not be sent now, with what to do; null when it may. */
export function sendRefusal(template: StoredTemplate): Refused | null {
  if (template.status === 'approved') return null;
  const { name, language, status, reason, id } = template;
  const why = reason === null ? '' : ` (${reason})`;
  return {
    refused: {
      code: 'template_not_approved',
      message: `Template ${name} (${language}) is ${WORDS[status]}${why}.`,
      fix: FIXES[status].replace('{id}', id),
      evidence: { templateId: id, status, reason },
    },
  };
}

const WORDS: Readonly<Record<TemplateStatus, string>> = {
  draft: 'a draft that Meta does not have',
  submitted: 'on its way to Meta',
  pending: 'in review at Meta',
  approved: 'approved',
  rejected: 'rejected by Meta',
  paused: 'paused by Meta',
  disabled: 'disabled at Meta',
};

const FIXES: Readonly<Record<TemplateStatus, string>> = {
  draft: 'Submit it: POST /v1/templates/{id}/submit; approval takes minutes to a day.',
  submitted: 'Wait a minute, then ask Meta: POST /v1/templates/sync.',
  pending: 'Wait for the approval, minutes to a day; POST /v1/templates/sync asks at once.',
  approved: 'Nothing to do.',
  rejected: 'Change what the reason names (PATCH /v1/templates/{id}) and submit it again.',
  paused: 'Use another template; Meta lifts the pause after 3 or 6 hours, and ask fewer people.',
  disabled: 'Use another template, or write a new one under another name.',
};

/** Why it may not be submitted, `null` when it may, `'done'` when Meta has this version. */
export function submitRefusal(template: VersionedTemplate): Refused | 'done' | null {
  const { status, version, metaVersion, id } = template;
  if (status === 'submitted' || status === 'pending') {
    return {
      refused: {
        code: 'template_in_review',
        message: 'Meta is looking at this template; it cannot be changed meanwhile.',
        fix: FIXES[status].replace('{id}', id),
      },
    };
  }
  if (status !== 'rejected' && status !== 'disabled' && version === metaVersion) return 'done';
  return lintRefusal(draftOf(template));
}

/** A refusal that holds all findings, or null when nothing stands against submitting. */
export function lintRefusal(draft: TemplateDraft): Refused | null {
  const { ok, findings } = lintTemplate(draft);
  const first = findings.find(({ severity }) => severity === 'error');
  if (ok || first === undefined) return null;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return {
    refused: {
      code: 'template_invalid',
      message: `Meta would not take this template: ${first.message} (${errors} in all)`,
      fix: first.fix,
      evidence: { findings },
    },
  };
}

export function draftOf({ name, language, content }: VersionedTemplate): TemplateDraft {
  return { name, language, ...content };
}
