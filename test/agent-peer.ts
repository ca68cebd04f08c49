import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Agent } from '../src/agents/agent.ts';
import type { AgentMeView } from '../src/agents/agent-views.ts';
import { openMetaPeer, type MetaPeer } from './meta-peer.ts';
import { eventually, must, type LiveProduct } from './product-peers.ts';

/** An agent whose browser is played by werift: presence, requests and real WebRTC. */
export type AgentPeer = {
  id: Agent['id'];
  me(): Promise<AgentMeView>;
  send(method: string, path: string, body?: object): Promise<Response>;
  /** As when the tab is closed. */
  leave(): void;
  /** The call that rings here. */
  ringing(): Promise<NonNullable<AgentMeView['call']>>;
  answer(): Promise<MetaPeer>;
};

const JSON_BODY = { 'content-type': 'application/json' };
let made = 0;

/** An agent of the group who is there and takes calls. */
export async function openAgent(
  t: TestContext,
  live: LiveProduct,
  group: string,
): Promise<AgentPeer> {
  made += 1;
  const base = `${live.product.server.url}/v1/agents/me`;
  const wish = { name: `agent ${made}`, groups: [group] };
  const { id, token } = await must<{ id: Agent['id']; token: string }>(
    live.api,
    '/v1/agents',
    wish,
  );
  const headers = { authorization: `Bearer ${token}` };
  const send = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${base}${path}`, {
      method,
      headers: { ...headers, ...(body && JSON_BODY) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const tab = new AbortController();
  const stream = await fetch(`${base}/stream`, { headers, signal: tab.signal });
  assert.equal(stream.status, 200);
  void stream.text().catch(() => {});
  t.after(() => tab.abort());
  assert.equal((await send('PUT', '/presence', { presence: 'available' })).status, 200);
  const me = async (): Promise<AgentMeView> =>
    (await (await send('GET', '')).json()) as AgentMeView;
  const ringing = () =>
    eventually('the ring', async () => {
      const { call } = await me();
      return call?.state === 'ringing' ? call : null;
    });
  const answer = async (): Promise<MetaPeer> => {
    const call = await ringing();
    const peer = await openMetaPeer(call.offer);
    t.after(() => peer.close());
    const answered = await send('POST', `/calls/${call.id}/answer`, { sdp: peer.answer });
    assert.equal(answered.status, 200, await answered.text());
    return peer;
  };
  return { id, me, send, leave: () => tab.abort(), ringing, answer };
}
