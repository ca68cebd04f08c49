import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointView } from '../../../src/http/api-types.ts';
import { endpointBody } from '../../../src/endpoints/endpoint-schemas.ts';
import { bodyOf, draftOf, emptyDraft } from './endpoint-draft.ts';

test('a new endpoint needs a name and an address, and is what the API takes by itself', () => {
  const draft = emptyDraft();
  const [target] = draft.targets;
  assert.ok(target !== undefined);
  const targets = [{ ...target, uri: 'sip:desk@pbx.example' }];
  const body = endpointBody.parse(bodyOf({ ...draft, name: 'Desk', targets }));
  const plain = endpointBody.parse({ name: 'Desk', targets: [{ uri: 'sip:desk@pbx.example' }] });
  assert.deepEqual({ ...body, targets: null }, { ...plain, targets: null });
});

test('what is shown is sent back as it was, but for passwords', () => {
  const wish = endpointBody.parse({
    name: 'Desk',
    targets: [
      { uri: 'sip:a@pbx.example', username: 'us', srtp: 'required' },
      { uri: 'sip:b@pbx.example', priority: 7, weight: 3, srtp: 'off' },
    ],
    codecs: ['PCMA'],
    whenNobody: { action: 'queue_with_music', prompt: 'song', maxMs: 90_500 },
    minutesPerDay: 12,
  });
  const shown = { ...wish, agents: null, id: 'end_1', health: 'up' } as unknown as EndpointView;
  assert.deepEqual(endpointBody.parse(bodyOf(draftOf(shown))), wish);
});

test('a number that is none is not made into one', () => {
  const body = bodyOf({ ...emptyDraft(), maxCalls: 'many', ringSeconds: '' });
  assert.deepEqual(
    endpointBody.safeParse(body).error?.issues.map(({ path }) => path.join('.')),
    ['name', 'targets.0.uri', 'ringTimeoutMs', 'maxCalls'],
  );
});
