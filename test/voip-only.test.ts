import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { EndpointView, Page } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';

/** Meta forbids the telephone network on any leg; what an endpoint may be is our side of that. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 9 });
});
after(() => story.close());

const NOT_VOIP = [
  'tel:+4930123456',
  'TEL:+4930123456',
  '+4930123456',
  'sip:+4930123456@carrier.example;user=phone',
  'sip:reception@pbx.example?to=tel:+4930123456',
  'sip:reception@pbx.example;transport=tcp;user=phone',
  'sip:reception@pbx.example\r\nRoute: <tel:+4930123456>',
  'callto:+4930123456',
  'sips:reception@pbx.example;transport=udp',
];

for (const uri of NOT_VOIP) {
  test(`${JSON.stringify(uri)} is no endpoint, and the answer names the field`, async () => {
    const answer = await story.api.post<EndpointView>('/v1/endpoints', { name: 'Desk', uri });
    assert.ok(isProblem(answer), JSON.stringify(answer));
    assert.equal(answer.code, 'invalid_request');
    assert.match(answer.fields?.[0]?.field ?? '', /uri/);
  });
}

for (const uri of ['sips:desk@pbx.example', 'sip:desk@pbx.example:5061;transport=tls']) {
  test(`${uri} is an endpoint`, async () => {
    const answer = await story.api.post<EndpointView>('/v1/endpoints', { name: uri, uri });
    assert.ok(!isProblem(answer), JSON.stringify(answer));
    assert.equal(answer.uri, uri);
  });
}

test('nothing that was refused is stored; a SIP address is', async () => {
  const uri = 'sip:reception@pbx.example:5062;transport=tcp';
  const answer = await story.api.post<EndpointView>('/v1/endpoints', { name: 'Desk', uri });
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  const { items } = await story.api.get<Page<EndpointView>>('/v1/endpoints');
  assert.deepEqual(
    items.filter(({ name }) => name === 'Desk').map((endpoint) => endpoint.uri),
    [uri],
  );
});
