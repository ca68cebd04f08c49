import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ControlError, SimPerson, SimulatorState } from './control-types.ts';
import { rehearse, type Rehearsal } from './simulator-harness.ts';
import { sentinel } from './people.ts';
import { stunUfrag } from './udp-front.ts';

const ada = sentinel('001');
const adaPath = `/simulator/people/${encodeURIComponent(ada)}`;

function control(
  stage: Rehearsal,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  payload?: object,
): Promise<{ status: number; body: unknown }> {
  return stage.simulator.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
}

describe('the control API', () => {
  test('shows the state: lines, people, faults, deliveries', async () => {
    await using stage = await rehearse({});
    const { status, body } = await control(stage, 'GET', '/simulator/state');
    const state = body as SimulatorState;
    assert.equal(status, 200);
    assert.equal(state.lines[0]?.businessName, 'Askfirst Demo Clinic');
    assert.equal(state.people.length, 16);
    assert.equal(state.url, stage.simulator.url);
  });

  test('acts for a person', async () => {
    await using stage = await rehearse({});
    await stage.ask(ada);
    await stage.pass(1000);
    const { status, body } = await control(stage, 'POST', `${adaPath}/actions`, {
      action: 'allow',
    });
    assert.equal(status, 200);
    assert.equal((body as SimPerson).permissions[0]?.status, 'temporary');
  });

  const refusals: Array<[name: string, url: string, payload: object, http: number, code: string]> =
    [
      ['an unknown action', `${adaPath}/actions`, { action: 'dance' }, 400, 'bad_body'],
      ['no request to answer', `${adaPath}/actions`, { action: 'allow' }, 409, 'no_open_request'],
      ['no call to answer', `${adaPath}/actions`, { action: 'answer' }, 409, 'no_call'],
      ['no button', `${adaPath}/actions`, { action: 'tap', text: 'x' }, 409, 'no_such_button'],
      ['a bad number', '/simulator/people/abc/actions', { action: 'allow' }, 400, 'bad_number'],
      ['a taken number', '/simulator/people', { number: ada }, 409, 'person_exists'],
      ['an unknown fault', '/simulator/faults', { kind: 'meteor' }, 400, 'bad_body'],
      ['a browser without media', `${adaPath}/phone`, { sdp: 'v=0' }, 409, 'no_media'],
      ['an unknown path', '/simulator/nothing', {}, 404, 'unknown_path'],
    ];
  for (const [name, url, payload, http, code] of refusals) {
    test(`refuses ${name} with ${http} ${code} and a fix`, async () => {
      await using stage = await rehearse({});
      const { status, body } = await control(stage, 'POST', url, payload);
      const { error } = body as ControlError;
      assert.deepEqual([status, error.code], [http, code]);
      assert.ok(error.fix.length > 10);
    });
  }

  test('creates people like others, and lines', async () => {
    await using stage = await rehearse({});
    const made = await control(stage, 'POST', '/simulator/people', {
      number: '+4915112345678',
      name: 'Zoë',
      like: sentinel('101'),
    });
    assert.equal(made.status, 201);
    await stage.ask('+4915112345678');
    await stage.pass(2000);
    await stage.dial('+4915112345678');
    await stage.pass(10_000);
    assert.equal(stage.callEvents().at(-1), 'terminate COMPLETED');
    const line = await control(stage, 'POST', '/simulator/lines', {
      displayNumber: '+442079460001',
      businessName: 'Second Clinic',
    });
    assert.equal(line.status, 201);
    assert.equal(stage.simulator.state().lines.length, 2);
  });

  test('sets and clears faults', async () => {
    await using stage = await rehearse({});
    const set = await control(stage, 'POST', '/simulator/faults', { kind: 'drop_webhook' });
    assert.equal(set.status, 201);
    assert.equal(stage.simulator.state().faults.length, 1);
    assert.equal((await control(stage, 'DELETE', '/simulator/faults')).status, 204);
    assert.equal(stage.simulator.state().faults.length, 0);
  });

  test('streams the state to pages of this machine, and to no other origin', async () => {
    await using stage = await rehearse({});
    const open = async (origin: string): Promise<[allowed: string | null, text: string]> => {
      const leave = new AbortController();
      const answer = await fetch(`${stage.simulator.url}/simulator/stream`, {
        headers: { origin },
        signal: leave.signal,
      });
      const chunk = await answer.body?.getReader().read();
      leave.abort();
      const text = Buffer.from(chunk?.value ?? []).toString();
      return [answer.headers.get('access-control-allow-origin'), text];
    };
    const [allowed, text] = await open('http://127.0.0.1:4000');
    assert.equal(allowed, 'http://127.0.0.1:4000');
    assert.match(text, /^data: \{"at":/);
    assert.equal((await open('https://evil.example'))[0], null);
  });

  test('tells watchers once per turn', async () => {
    await using stage = await rehearse({});
    let told = 0;
    const leave = stage.simulator.onChange(() => (told += 1));
    stage.simulator.act(ada, { action: 'write', text: 'one' });
    stage.simulator.act(ada, { action: 'write', text: 'two' });
    await Promise.resolve();
    assert.equal(told, 1);
    leave();
  });
});

describe('the UDP front', () => {
  test('reads the ufrag out of a binding request, and nothing out of other packets', () => {
    const username = Buffer.from('relayUfrag:theirs');
    const padded = Buffer.concat([username, Buffer.alloc(3)]);
    const request = Buffer.alloc(24);
    request.writeUInt16BE(0x0001, 0);
    request.writeUInt32BE(0x2112_a442, 4);
    request.writeUInt16BE(0x0006, 20);
    request.writeUInt16BE(username.length, 22);
    assert.equal(stunUfrag(Buffer.concat([request, padded])), 'relayUfrag');
    assert.equal(stunUfrag(Buffer.from([0x80, 111, 0, 0])), undefined);
    assert.equal(stunUfrag(Buffer.alloc(0)), undefined);
    assert.equal(stunUfrag(request.subarray(0, 22)), undefined);
  });
});
