import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restrictedUntil } from './reception.ts';

test('a restriction without an end is one that the database can keep', () => {
  const type = 'RESTRICTED_BUSINESS_INITIATED_CALLING';
  const until = restrictedUntil([{ type, expiresAt: null }]);
  assert.ok(until !== null && until > Date.UTC(2100, 0));
  assert.match(new Date(until).toISOString(), /^9999-/);
  assert.equal(
    restrictedUntil([
      { type, expiresAt: 5 },
      { type, expiresAt: 7 },
    ]),
    7,
  );
  assert.equal(
    restrictedUntil([{ type: 'RESTRICTED_USER_INITIATED_CALLING', expiresAt: 5 }]),
    null,
  );
});
