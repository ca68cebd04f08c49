import assert from 'node:assert/strict';
import type { Cdr } from '../src/calls/cdr.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type { CallView, ContactView, EventView, Page, Problem } from '../src/http/api-types.ts';
import type { Story } from './harness.ts';

/** What stories say about customers, in the words of the API. */
export const PURPOSE = 'your order 1042';

export const person = (last3: string): string => `+447700900${last3}`;

/** Somebody new who behaves like a sentinel person. */
export function newPerson(story: Story, last3: string, like: string): string {
  const number = person(last3);
  story.simulator.addPerson({ number, like: person(like) });
  return number;
}

export async function contactOf(story: Story, number: string): Promise<ContactView> {
  const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
  const [contact] = (await story.api.get<Page<ContactView>>(path)).items;
  assert.ok(contact !== undefined, `no contact ${number}`);
  return contact;
}

export async function consentStatus(story: Story, number: string): Promise<string | undefined> {
  return (await contactOf(story, number)).consents[0]?.status;
}

export async function ask(story: Story, number: string, more: object = {}): Promise<void> {
  const answer = await story.api.post<object>('/v1/permission-requests', {
    to: number,
    purpose: PURPOSE,
    ...more,
  });
  assert.ok(!isProblem(answer), JSON.stringify(answer));
}

export async function getYes(story: Story, number: string, more: object = {}): Promise<void> {
  await ask(story, number, more);
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
}

export function call(story: Story, number: string, more: object = {}): Promise<CallView | Problem> {
  return story.api.post<CallView>('/v1/calls', { to: number, purpose: PURPOSE, ...more });
}

export async function placed(story: Story, number: string, more: object = {}): Promise<CallView> {
  const answer = await call(story, number, more);
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

/** Moves time until the call has that status. */
export function reach(story: Story, id: string, status: CallView['status']): Promise<CallView> {
  return story.until(`call ${status}`, async () => {
    const view = await story.api.get<CallView>(`/v1/calls/${id}`);
    return view.status === status ? view : null;
  });
}

export async function eventsOf(story: Story, callId: string): Promise<string[]> {
  const path = `/v1/events?callId=${callId}&limit=100`;
  return (await story.api.get<Page<EventView>>(path)).items.map(({ type }) => type);
}

/** Every attempt ends: one CDR, one `call.ended`, gap-free events, no leg left. */
export async function assertOneEnd(story: Story, id: string): Promise<Cdr> {
  const path = `/v1/events?callId=${id}&limit=100`;
  const { items } = await story.api.get<Page<EventView>>(path);
  const calls = items.filter(({ type }) => type.startsWith('call.'));
  assert.equal(calls.filter(({ type }) => type === 'call.ended').length, 1);
  const sequences = calls.map(({ sequence }) => sequence).sort((a, b) => a - b);
  assert.deepEqual(
    sequences,
    sequences.map((_, index) => index + 1),
  );
  const cdr = await story.api.get<Cdr>(`/v1/calls/${id}/cdr`);
  assert.equal(cdr.callId, id);
  assert.equal(story.media.liveCalls(), 0);
  assert.equal(story.sip.liveCount(), 0);
  return cdr;
}
