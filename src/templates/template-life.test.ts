import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, TemplateId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { afterNews, isShownAlike, sendRefusal, submitRefusal } from './template-life.ts';
import type { VersionedTemplate } from './template-store.ts';
import { BUILT_IN_TEMPLATES, TEMPLATE_STATUSES } from './template.ts';

const [first] = BUILT_IN_TEMPLATES;
assert.ok(first !== undefined);
const { name, language, ...content } = first;

const APPROVED: VersionedTemplate = {
  id: 'tpl_1' as TemplateId,
  accountId: 'acct_1' as AccountId,
  wabaId: '200',
  name,
  language,
  content,
  category: 'UTILITY',
  version: 2,
  metaVersion: 2,
  metaId: '7',
  status: 'approved',
  reason: null,
  advice: null,
  quality: null,
  comingCategory: null,
  origin: 'own',
  statusAt: 1_000,
  createdAt: 0,
  deletedAt: null,
};

test("each of Meta's words has its status, and words nobody knows change nothing", () => {
  const cases = [
    ['APPROVED', 'approved'],
    ['REINSTATED', 'approved'],
    ['IN_APPEAL', 'pending'],
    ['REJECTED', 'rejected'],
    ['PAUSED', 'paused'],
    ['LOCKED', 'disabled'],
    ['PENDING_DELETION', 'disabled'],
    ['FLAGGED', 'approved'],
    ['SOMETHING_NEW', 'approved'],
  ] as const;
  for (const [word, status] of cases) {
    assert.equal(afterNews(APPROVED, { at: 2_000, status: word }).status, status, word);
  }
});

test('news that are older than the status known do not undo it', () => {
  const paused = afterNews(APPROVED, { at: 2_000, status: 'PAUSED', reason: 'FIRST_PAUSE' });
  assert.deepEqual([paused.status, paused.reason], ['paused', 'FIRST_PAUSE']);
  const late = afterNews(paused, { at: 1_999, status: 'APPROVED' });
  assert.deepEqual([late.status, late.reason], ['paused', 'FIRST_PAUSE']);
  const lifted = afterNews(paused, { at: 3_000, status: 'APPROVED' });
  assert.deepEqual([lifted.status, lifted.reason], ['approved', null]);
});

test('a list that names no reason leaves the reason that a webhook gave', () => {
  const news = { at: 2_000, status: 'REJECTED', reason: 'INVALID_FORMAT', advice: 'Shorten it.' };
  const rejected = afterNews(APPROVED, news);
  const listed = afterNews(rejected, { at: 3_000, status: 'REJECTED', reason: null });
  assert.deepEqual([listed.reason, listed.advice], ['INVALID_FORMAT', 'Shorten it.']);
});

test('only an approved template may be sent, and each other status names its own fix', () => {
  const fixes = TEMPLATE_STATUSES.map((status) => {
    const refused = sendRefusal({ ...APPROVED, status });
    assert.equal(refused === null, status === 'approved', status);
    return refused?.refused.fix ?? '';
  });
  assert.equal(new Set(fixes).size, fixes.length);
});

test('what is in review is not submitted again, and what Meta has is done', () => {
  assert.equal(submitRefusal(APPROVED), 'done');
  assert.equal(submitRefusal({ ...APPROVED, version: 3 }), null);
  assert.equal(submitRefusal({ ...APPROVED, status: 'rejected' }), null);
  for (const status of ['submitted', 'pending'] as const) {
    assert.ok(isRefused(submitRefusal({ ...APPROVED, status })));
  }
  const broken = { ...APPROVED, version: 3, content: { ...content, samples: [] } };
  const refused = submitRefusal(broken);
  assert.ok(isRefused(refused) && refused.refused.code === 'template_invalid');
});

test('samples and meanings are not what a customer sees', () => {
  assert.ok(isShownAlike(content, { ...content, samples: ['x', 'y'] }));
  assert.ok(!isShownAlike(content, { ...content, footer: 'Clinic' }));
});
