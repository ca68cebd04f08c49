import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';

import { chromium, type Browser, type Page } from 'playwright-core';
import type { AgentView } from '../src/agents/agent-views.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { CallView, ContactView, Page as PageOf } from '../src/http/api-types.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { buildPage } from './built-page.ts';
import { axeFaults, excessOf } from './page-look.ts';
import { needsProgram, programPath } from './peers.ts';
import {
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  personAt,
  PURPOSE,
  type LiveProduct,
} from './product-peers.ts';

/**
 * An agent at work in a real Chromium, whose microphone plays a tone: the page, the audio both
 * ways by its frequency, and what the customer on the other side hears.
 */
const AGENT_HZ = 1_000;
const CUSTOMER_HZ = 440;

/** Keeps what the page hears within reach, and the tone away from what cleans up voices. */
const LISTEN = `
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  navigator.mediaDevices.getUserMedia = () => open({ audio: raw });
  const Connection = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(...settings) {
      super(...settings);
      this.addEventListener('track', ({ track }) => {
        const context = new AudioContext();
        const heard = context.createAnalyser();
        heard.fftSize = 8192;
        context.createMediaStreamSource(new MediaStream([track])).connect(heard);
        globalThis.loudestHz = () => {
          const bins = new Float32Array(heard.frequencyBinCount);
          heard.getFloatFrequencyData(bins);
          const top = bins.indexOf(Math.max(...bins));
          return bins[top] > -60 ? (top * context.sampleRate) / 8192 : 0;
        };
      });
    }
  };
`;
const LOUDEST_HZ = 'globalThis.loudestHz ? globalThis.loudestHz() : 0';

suite('an agent in Chromium', { skip: needsProgram('chromium', 'chromium') }, () => {
  let live: LiveProduct;
  let browser: Browser;
  let page: Page;
  /** The dashboard of whoever makes agents. */
  let office: Page;
  let folder = '';
  let agentId = '';
  let endpointId = '';
  let people = 0;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46500-46599' });
    folder = await mkdtemp(join(tmpdir(), 'askfirst-agent-'));
    const sound = join(folder, 'tone.wav');
    await writeFile(sound, wavOf({ samples: toneAt(AGENT_HZ, 48_000, 4), rate: 48_000 }));
    browser = await chromium.launch({
      executablePath: programPath('chromium') ?? '',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        `--use-file-for-fake-audio-capture=${sound}`,
        '--autoplay-policy=no-user-gesture-required',
      ],
    });
    const agents = { group: 'sales', ringMs: 30_000, wrapUpMs: 60_000, returnMs: 12_000 };
    const desk = { name: 'Sales', agents, ringTimeoutMs: 60_000 };
    ({ id: endpointId } = await must<{ id: string }>(live.api, '/v1/endpoints', desk));
    const context = await browser.newContext({ viewport: { width: 900, height: 900 } });
    await context.addInitScript(LISTEN);
    page = await context.newPage();
    // Wide enough for every page's link: axe takes one that was scrolled away for a skip link.
    office = await context.newPage();
    await office.setViewportSize({ width: 1_600, height: 900 });
    for (const one of [page, office]) listen(one);
  });

  const listen = (one: Page): void => {
    one.setDefaultTimeout(30_000);
    one.on('pageerror', (error) => complaints.push(error.message));
    one.on('console', (message) => {
      const refused = /^Failed to load resource: .* status of 4\d\d /.test(message.text());
      if (message.type() === 'error' && !refused) complaints.push(message.text());
    });
  };

  after(async () => {
    await browser?.close();
    await live?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const press = (name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click();
  const simulator = (): string => live.product.sandbox?.url ?? '';
  const newNumber = (): string => `+4477009007${String((people += 1)).padStart(2, '0')}`;
  const aCall = async (to: string): Promise<string> => {
    await newCustomerWithYes(live.api, simulator(), to, '+447700900100');
    const wish = { to, purpose: PURPOSE, endpointId };
    return (await must<CallView>(live.api, '/v1/calls', wish)).id;
  };
  const ended = (id: string): Promise<CallView> =>
    eventually(`the end of ${id}`, async () => {
      const view = await live.api.get<CallView>(`/v1/calls/${id}`);
      return view.status === 'ended' ? view : null;
    });
  const agentState = async (): Promise<string> =>
    (await live.api.get<AgentView>(`/v1/agents/${agentId}`)).state;

  test('the dashboard makes an agent, and gives a link that lets her in', async () => {
    const key = live.product.sandbox?.apiKey ?? '';
    await office.goto(`${live.product.server.url}/#key=${key}`);
    await office.getByRole('link', { name: 'Agents', exact: true }).click();
    await office.getByText('Nobody answers in the browser yet.', { exact: false }).waitFor();
    assert.deepEqual(await axeFaults(office), []);
    await office.getByLabel('Name', { exact: true }).fill('Ann');
    await office.getByRole('button', { name: 'Add and get the link' }).click();
    const link = await office.getByLabel('Link for Ann').inputValue();
    await office.getByText('rung by Sales').waitFor();
    assert.deepEqual(await axeFaults(office), []);
    await office.setViewportSize({ width: 400, height: 900 });
    assert.ok((await excessOf(office)) <= 0);
    const { items } = await live.api.get<PageOf<AgentView>>('/v1/agents');
    agentId = items[0]?.id ?? '';
    await page.goto(link);
  });

  test('the token leaves the address, and Ann says that she is ready', async () => {
    await page.getByRole('heading', { name: 'Ann' }).waitFor();
    assert.ok(!page.url().includes('aft_'));
    await page.getByText('Away: no call rings here').waitFor();
    await press('Ready');
    await page.getByText('Ready: calls ring here').waitFor();
    await office.getByText('1 of 1 ready').waitFor();
    await press('Check it');
    await page.getByRole('meter', { name: 'Level: You say' }).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await press('Stop the check');
  });

  test('she takes a call by one key, and both hear the other’s tone', async () => {
    const to = newNumber();
    const id = await aCall(to);
    await page.getByRole('heading', { name: 'Incoming call' }).waitFor();
    await page.getByText('What they read and said yes to').waitFor();
    await page.getByText(PURPOSE, { exact: true }).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'In a call' }).waitFor();
    await eventually('the tone of the customer', async () => {
      const hz = await page.evaluate<number>(LOUDEST_HZ);
      return Math.abs(hz - CUSTOMER_HZ) < 20;
    });
    await eventually('the tone of the agent', async () => {
      const person = await personAt(simulator(), to);
      return person?.call?.everHeardHz.some((hz) => Math.abs(hz - AGENT_HZ) < 30);
    });
    assert.deepEqual(await axeFaults(page), []);
    await press('Mute');
    await page.getByRole('button', { name: 'Unmute' }).waitFor();
    await eventually('silence at the customer', async () => {
      const person = await personAt(simulator(), to);
      return person?.call?.heardHz.length === 0;
    });
    await press('Unmute');
    await press('Hold');
    await page.getByText('On hold: music plays').waitFor();
    await press('Resume');
    await page.getByText('Connected', { exact: true }).waitFor();
    await press('Keys');
    await press('7');
    await press('Hang up');
    const view = await ended(id);
    assert.deepEqual(
      [view.outcome, view.endReason, view.agentId],
      ['completed', 'endpoint_hung_up', agentId],
    );
    const { media, agentId: written } = await live.api.get<Cdr>(`/v1/calls/${id}/cdr`);
    assert.deepEqual([media?.codec, media?.transcoded, written], ['opus', false, agentId]);
  });

  test('she writes what came of it, and goes on before her pause is over', async () => {
    await page.getByText('Pause after the call').waitFor();
    await page.getByLabel('Outcome').selectOption({ index: 1 });
    await page.getByLabel('Note').fill('All is well.');
    await press('Save');
    await page.getByText('Saved.').waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await press('Ready for the next');
    await page.getByText('Ready: calls ring here').waitFor();
  });

  test('the customer hangs up, and the page is free again', async () => {
    const to = newNumber();
    const id = await aCall(to);
    await press('Answer');
    await page.getByRole('heading', { name: 'In a call' }).waitFor();
    const hangsUp = await fetch(
      `${simulator()}/simulator/people/${encodeURIComponent(to)}/actions`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ action: 'hang_up' }),
      },
    );
    assert.ok(hangsUp.ok, await hangsUp.text());
    assert.equal((await ended(id)).endReason, 'customer_hung_up');
    await page.getByRole('heading', { name: 'No call' }).waitFor();
    await press('Ready for the next');
  });

  test('a call that is answered in one tab is not taken from it by another', async () => {
    const id = await aCall(newNumber());
    const other = await page.context().newPage();
    await other.goto(`${live.product.server.url}/agent`);
    await press('Answer');
    await page.getByRole('meter', { name: 'Level: You hear' }).waitFor();
    await other.getByText('The sound of this call is not in this tab', { exact: false }).waitFor();
    assert.deepEqual(await axeFaults(other), []);
    await other.close();
    assert.equal(await agentState(), 'busy');
    await press('Customer wants no more calls');
    assert.deepEqual(await axeFaults(page), []);
    await press('Yes, never again');
    assert.equal((await ended(id)).endReason, 'opted_out');
    const { contactId } = await live.api.get<CallView>(`/v1/calls/${id}`);
    const contact = await live.api.get<ContactView>(`/v1/contacts/${contactId}`);
    assert.equal(contact.doNotCall, true);
    await press('Ready for the next');
  });

  test('whoever loads the page again in a call is back in it, after some music', async () => {
    const to = newNumber();
    const id = await aCall(to);
    await press('Answer');
    await page.getByRole('meter', { name: 'Level: You hear' }).waitFor();
    const hears = (hz: number): Promise<boolean> =>
      eventually(`${hz} Hz at the customer`, async () => {
        const person = await personAt(simulator(), to);
        return person?.call?.heardHz.some((heard) => Math.abs(heard - hz) < 30);
      });
    page.once('dialog', (dialog) => void dialog.accept());
    await page.reload();
    // Nobody presses anything.
    await page.getByRole('meter', { name: 'Level: You hear' }).waitFor();
    await hears(AGENT_HZ);
    await eventually('the tone of the customer', async () => {
      const hz = await page.evaluate<number>(LOUDEST_HZ);
      return Math.abs(hz - CUSTOMER_HZ) < 20;
    });
    const view = await live.api.get<CallView>(`/v1/calls/${id}`);
    assert.deepEqual(
      [view.status, view.agentId, view.holds.map(({ by, to: end }) => [by, end !== null])],
      ['bridged', agentId, [['platform', true]]],
    );
    await press('Hang up');
    assert.equal((await ended(id)).endReason, 'endpoint_hung_up');
    await page.getByText('Pause after the call').waitFor();
    await press('Ready for the next');
  });

  test('whoever does not come back is nobody there, and the call ends with its name', async () => {
    const context = page.context();
    const other = await context.newPage();
    await other.goto(`${live.product.server.url}/agent`);
    const id = await aCall(newNumber());
    await other.getByRole('button', { name: 'Answer', exact: true }).click();
    await other.getByRole('meter', { name: 'Level: You hear' }).waitFor();
    await other.close();
    // It rings in the tab that is left, which had no part in it: nobody answers there.
    await page.getByText('Your customer waits for you, with music.').waitFor();
    assert.deepEqual(await axeFaults(page), []);
    const { endReason } = await ended(id);
    assert.equal(endReason, 'agent_media_lost');
    // As after every ring that was not answered.
    await page.getByText('Away: no call rings here').waitFor();
    await press('Ready');
    await page.getByText('Ready: calls ring here').waitFor();
  });

  test('while she is away a call waits for her, and rings as soon as she is back', async () => {
    await press('Away');
    await page.getByText('Away: no call rings here').waitFor();
    const to = newNumber();
    const id = await aCall(to);
    await eventually('the wait', async () => {
      const view = await live.api.get<CallView>(`/v1/calls/${id}`);
      return view.status === 'queued' && view.waitsFor === 'agents_unavailable';
    });
    assert.equal((await personAt(simulator(), to))?.call ?? null, null);
    await press('Ready');
    await page.getByRole('heading', { name: 'Incoming call' }).waitFor();
    await press('Answer');
    await page.getByRole('meter', { name: 'Level: You hear' }).waitFor();
    await live.api.post(`/v1/calls/${id}/hangup`, {});
    await ended(id);
  });

  test('narrow and dark nothing is cut off; a refused microphone is explained', async () => {
    const context = await browser.newContext({
      viewport: { width: 400, height: 900 },
      colorScheme: 'dark',
      storageState: await page.context().storageState(),
    });
    const narrow = await context.newPage();
    await narrow.addInitScript(
      `navigator.mediaDevices.getUserMedia = () =>
         Promise.reject(new DOMException('refused', 'NotAllowedError'));`,
    );
    await narrow.goto(`${live.product.server.url}/agent`);
    await narrow.getByRole('heading', { name: 'Ann' }).waitFor();
    await narrow.getByRole('button', { name: 'Check it' }).click();
    await narrow.getByText('The microphone was refused', { exact: false }).waitFor();
    assert.ok((await excessOf(narrow)) <= 0, 'the page is wider than the screen');
    assert.deepEqual(await axeFaults(narrow), []);
    await context.close();
  });

  test('a token that was taken back opens nothing, and the page says so', async () => {
    await office.getByRole('button', { name: 'New link for Ann' }).click();
    await office.getByText('It is shown once', { exact: false }).waitFor();
    await page.reload();
    await page.getByText('This link opens nothing any more').waitFor();
    await press('Use another token');
    await page.getByLabel('Your token').waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await office.getByRole('button', { name: 'Remove Ann' }).click();
    await office.getByRole('button', { name: 'Yes, remove' }).click();
    await office.getByText('Nobody answers in the browser yet.', { exact: false }).waitFor();
  });

  test('the browser had nothing to complain about', () => {
    assert.deepEqual(complaints, []);
  });
});
