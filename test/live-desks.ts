import assert from 'node:assert/strict';
import type { SimCall } from '../simulator/control-types.ts';
import type { DemoPbxCall } from '../simulator/pbx/pbx.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { CallActionView, CallView, Page } from '../src/http/api-types.ts';
import type { CallId } from '../src/platform/ids.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  personAt,
  readJson,
} from './product-peers.ts';

/**
 * The whole product with desks that each hum a tone of their own, so that who hears whom can be
 * measured at the customer's ear and at each desk's. The customer hums 440 Hz.
 */
export type LiveDesks = {
  /** The id of each desk's endpoint, by its name. */
  desks: ReadonlyMap<string, string>;
  addDesk: (name: string, uri: string, more?: object) => Promise<void>;
  pbxUri: (user: string) => string;
  talkTo: (desk: string) => Promise<LiveTalk>;
  view: (id: string) => Promise<CallView>;
  /** The newest call that a desk of the demo PBX has had. */
  deskCall: (user: string) => Promise<DemoPbxCall | undefined>;
  /** Waits until that desk has heard all these tones. */
  deskHears: (user: string, ...hz: number[]) => Promise<void>;
  /** Calls that are up anywhere. */
  left: () => Promise<{ gateway: readonly CallId[]; pbx: DemoPbxCall[] }>;
  close: () => Promise<void>;
};

/** A customer who talks to a desk. */
export type LiveTalk = {
  id: string;
  /** What the customer hears right now, in Hz, and more. */
  ear: () => Promise<SimCall>;
  /** Orders, and waits until it is known what became of it. */
  order: (body: object) => Promise<CallActionView>;
  /** Has the customer press keys. */
  press: (digits: string) => Promise<void>;
  /** Waits until the customer hears that tone and none of the others. */
  hearsOnly: (hz: number, ...not: number[]) => Promise<void>;
  end: () => Promise<Cdr>;
};

/** `ports` like `46000-46399`; `first` are the last digits of the first customer's number. */
export async function openLiveDesks(options: {
  ports: string;
  first: number;
  users: readonly string[];
}): Promise<LiveDesks> {
  const { product, api, close } = await openLiveProduct({
    ASKFIRST_MEDIA_WORKERS: '1',
    ASKFIRST_MEDIA_PORTS: options.ports,
  });
  const { server, sandbox } = product;
  assert.ok(sandbox !== null);
  const desks = new Map<string, string>();
  let next = options.first;

  const addDesk = async (name: string, uri: string, more: object = {}): Promise<void> => {
    const body = { name, uri, codecs: ['PCMU'], ...more };
    desks.set(name, (await must<{ id: string }>(api, '/v1/endpoints', body)).id);
  };
  const view = (id: string): Promise<CallView> => api.get<CallView>(`/v1/calls/${id}`);
  const pbxCalls = async (): Promise<DemoPbxCall[]> =>
    (await readJson<{ calls: DemoPbxCall[] }>(`${sandbox.url}/simulator/pbx`)).calls;
  const deskCall = async (user: string): Promise<DemoPbxCall | undefined> =>
    (await pbxCalls())
      .filter((call) => call.user === user)
      .toSorted((a, b) => b.startedAt - a.startedAt)[0];
  const ordered = async (id: string, body: object): Promise<CallActionView> => {
    const asked = await must<CallActionView>(api, `/v1/calls/${id}/actions`, body);
    return eventually(`the outcome of ${JSON.stringify(body)}`, async () => {
      const { items } = await api.get<Page<CallActionView>>(`/v1/calls/${id}/actions`);
      const found = items.find((action) => action.id === asked.id);
      return found?.status === 'done' || found?.status === 'failed' ? found : null;
    });
  };
  const talkTo = async (desk: string): Promise<LiveTalk> => {
    const number = `+447700900${next++}`;
    await newCustomerWithYes(api, sandbox.url, number, '+447700900100');
    const wish = { to: number, purpose: PURPOSE, endpointId: desks.get(desk) };
    const { id } = await must<CallView>(api, '/v1/calls', wish);
    await eventually('a bridged call', async () => (await view(id)).status === 'bridged');
    const ear = async (): Promise<SimCall> => {
      const person = await personAt(sandbox.url, number);
      const call = person?.call ?? person?.pastCalls[0];
      assert.ok(call !== undefined);
      return call;
    };
    return {
      id,
      ear,
      order: (body) => ordered(id, body),
      async press(digits) {
        const path = `/simulator/people/${encodeURIComponent(number)}/actions`;
        const answer = await fetch(`${sandbox.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ action: 'digits', digits }),
        });
        assert.ok(answer.ok, await answer.text());
      },
      async hearsOnly(hz, ...not) {
        await eventually(`${hz} Hz at the customer, and not ${not.join(', ')}`, async () => {
          const { heardHz } = await ear();
          return heardHz.includes(hz) && !not.some((other) => heardHz.includes(other));
        });
      },
      async end() {
        await api.post(`/v1/calls/${id}/hangup`, {});
        await eventually('the end', async () => (await view(id)).status === 'ended');
        return api.get<Cdr>(`/v1/calls/${id}/cdr`);
      },
    };
  };
  for (const user of options.users) await addDesk(user, sandbox.pbxUri(user));
  return {
    desks,
    addDesk,
    pbxUri: (user) => sandbox.pbxUri(user),
    talkTo,
    view,
    deskCall,
    async deskHears(user, ...hz) {
      await eventually(`${hz.join(' and ')} Hz at ${user}`, async () => {
        const call = await deskCall(user);
        return call !== undefined && hz.every((tone) => call.heardHz.includes(tone));
      });
    },
    left: async () => ({
      gateway: server.gateway?.liveCalls() ?? [],
      pbx: (await pbxCalls()).filter(({ state }) => state !== 'ended'),
    }),
    close,
  };
}
