import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METADATA, delivery } from './webhook-fixtures.ts';
import { parseWebhook } from './webhook-parse.ts';
import type { WhatsAppFact } from './whatsapp.ts';

/** System messages, in the shapes of Meta's webhook reference of May and August 2026. */
function parsed(message: object): WhatsAppFact {
  const base = { id: 'wamid.1', timestamp: '1767168000', type: 'system' };
  const messages = [{ ...base, ...message }];
  const value = { messaging_product: 'whatsapp', metadata: METADATA, messages };
  const [fact, ...others] = parseWebhook(delivery('messages', value));
  assert.ok(fact !== undefined && others.length === 0);
  return fact;
}

test('a new number comes with the old one, and with both user ids since August 2026', () => {
  const system = { body: 'User Ada changed from A to B', type: 'user_changed_number' };
  const old = parsed({ from: '16501230000', system: { ...system, wa_id: '16505559999' } });
  assert.equal(old.kind, 'personChanged');
  assert.deepEqual(
    [old.person.waId, old.newWaId, old.newUserId],
    ['16501230000', '16505559999', undefined],
  );
  const ids = { user_id: 'US.2', previous_user_id: 'US.1' };
  const now = parsed({ from: '16501230000', system: { ...system, wa_id: '16505559999', ...ids } });
  assert.equal(now.kind, 'personChanged');
  assert.deepEqual([now.person.userId, now.newUserId], ['US.1', 'US.2']);
});

test('a new user id may come alone, without any number', () => {
  const system = { type: 'user_changed_user_id', previous_user_id: 'US.1', user_id: 'US.2' };
  const fact = parsed({ system });
  assert.equal(fact.kind, 'personChanged');
  assert.deepEqual(
    [fact.person.userId, fact.person.waId, fact.newUserId, fact.newWaId],
    ['US.1', undefined, 'US.2', undefined],
  );
});

test('the form before Graph v12 is read too', () => {
  const system = { type: 'customer_changed_number', new_wa_id: '+1 650 555 9999' };
  const fact = parsed({ from: '16501230000', system });
  assert.ok(fact.kind === 'personChanged' && fact.newWaId === '16505559999');
});

test('other system messages, and changes that name nothing new, are recorded by type', () => {
  for (const system of [{ type: 'user_identity_changed' }, { type: 'user_changed_number' }, {}]) {
    assert.equal(parsed({ from: '16501230000', system }).kind, 'unknown', JSON.stringify(system));
  }
});
