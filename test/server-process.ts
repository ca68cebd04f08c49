import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Cdr } from '../src/calls/cdr.ts';
import type { ApiClient } from '../src/cli/api-client.ts';
import { connectSandbox, type Sandbox } from '../src/cli/sandbox.ts';
import type { EventView, Page } from '../src/http/api-types.ts';
import { eventually, must } from './product-peers.ts';

/** What tests share that start the server as a process of its own, and kill it. */
export const MAIN = join(import.meta.dirname, '../src/cli/main.ts');

export type Front = { api: ApiClient; url: string; key: string };

/** Endpoint, line and templates, by the API, as `npm start` makes them. */
export async function furnish({ api, url, key }: Front, sandbox: Sandbox): Promise<void> {
  const endpoint = await must<{ id: string }>(api, '/v1/endpoints', {
    name: 'PBX',
    uri: sandbox.pbxUri('tone-1000'),
    codecs: ['PCMU'],
  });
  const line = await must<{ id: string }>(api, '/v1/lines', {
    name: 'Askfirst Demo Clinic',
    displayNumber: '+442079460000',
    phoneNumberId: '100000000000001',
    wabaId: '200000000000001',
    graphBaseUrl: sandbox.url,
    accessToken: 'sim-token',
    appSecret: 'sim-app-secret',
    verifyToken: 'sim-verify-token',
    defaultEndpointId: endpoint.id,
  });
  // Simulated people are awake at all hours, and so are these tests.
  const answer = await fetch(`${url}/v1/policy`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ lawOverlays: 'off' }),
  });
  assert.equal(answer.status, 200);
  await connectSandbox(sandbox, url);
  await must(api, `/v1/lines/${line.id}/templates`, {});
  await eventually('Meta to approve the templates', async () => {
    const { items } = await api.get<Page<{ sendable: boolean }>>('/v1/templates?limit=1');
    return items[0]?.sendable;
  });
}

/** One end is told, and one record written. */
export async function assertOneEnd(api: ApiClient, id: string): Promise<void> {
  const { items } = await api.get<Page<EventView>>(`/v1/events?callId=${id}&limit=100`);
  assert.equal(items.filter(({ type }) => type === 'call.ended').length, 1);
  const cdrs = await api.get<Page<Cdr>>('/v1/cdrs?limit=100');
  assert.equal(cdrs.items.filter(({ callId }) => callId === id).length, 1);
}

export function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => void child.once('exit', () => resolve()));
}
