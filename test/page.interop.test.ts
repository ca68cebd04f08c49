import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';

import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

import { startProduct } from '../src/cli/product.ts';
import { delay, systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { readSettings } from '../src/settings.ts';
import { buildPage } from './built-page.ts';
import { assertNothingCutOff, axeFaults } from './page-look.ts';
import { needsProgram, programPath } from './peers.ts';

/**
 * The page as a newcomer uses it: a real Chromium with a microphone that beeps, the whole
 * product behind it, and a customer who is asked, called, talked to, and says stop.
 */
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];
const STEP_TIMEOUT_MS = 15_000;
/** Far above the noise of an idle analyser (0) and far below the demo PBX's voice (about 0.1). */
const HEARD_RMS = 0.01;

/** As much of the browser's own types as is used there: this program does not have them. */
type InPage = {
  AudioContext: new () => {
    decodeAudioData(bytes: ArrayBuffer): Promise<{
      numberOfChannels: number;
      getChannelData(channel: number): Float32Array;
    }>;
  };
};
type AudioPlayer = { src: string; currentTime: number; play(): Promise<void> };

type WholeProduct = {
  url: string;
  apiKey: string;
  simulatorUrl: string;
  close(): Promise<void>;
};

async function startWholeProduct(): Promise<WholeProduct> {
  const dataDir = await mkdtemp(join(tmpdir(), 'askfirst-page-'));
  const product = await startProduct({
    settings: readSettings({
      PORT: '0',
      ASKFIRST_DATA_DIR: dataDir,
      ASKFIRST_MEDIA_WORKERS: '1',
      // Away from the range of an Askfirst that may be running on this machine.
      ASKFIRST_MEDIA_PORTS: '43000-43199',
    }),
    log: silentLog,
    simulator: { port: 0, pbxPort: 0 },
  });
  const { server, sandbox } = product;
  assert.ok(server.url !== null && sandbox !== null);
  return {
    url: server.url,
    apiKey: sandbox.apiKey,
    simulatorUrl: sandbox.url,
    async close() {
      await product.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

suite('the page in a browser', { skip: needsProgram('chromium', 'chromium') }, () => {
  let product: WholeProduct;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    product = await startWholeProduct();
    browser = await chromium.launch({
      executablePath: programPath('chromium') ?? '',
      args: CHROMIUM_FLAGS,
    });
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    page = await context.newPage();
    listen(page, complaints);
  });

  after(async () => {
    await browser?.close();
    await product?.close();
  });

  const phone = (): Locator => page.getByRole('region', { name: 'Phone of Ada Lovelace' });
  const press = (where: Page | Locator, name: string): Promise<void> =>
    where.getByRole('button', { name, exact: true }).first().click();

  test('the key leaves the address and the page stands, without a fault for axe', async () => {
    await page.goto(`${product.url}/#key=${product.apiKey}`);
    await page.getByText('SIMULATOR', { exact: false }).first().waitFor();
    await phone().waitFor();
    await page.getByText('Live: changes show at once.').waitFor();
    assert.equal(page.url().includes(product.apiKey), false);
    assert.deepEqual(await axeFaults(page), []);
  });

  test('STOP ALL asks once, shows that it holds, and is lifted', async () => {
    await press(page, 'Stop all');
    await press(page, 'Yes, stop all');
    await page.getByText('Everything is stopped since', { exact: false }).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await press(page, 'Let it go on');
    await page.getByRole('button', { name: 'Stop all', exact: true }).waitFor();
  });

  test('a call without permission is refused beforehand, with the fix', async () => {
    await page.getByText('May not call now').waitFor();
    const callNow = page.getByRole('button', { name: 'Call now' });
    assert.equal(await callNow.getAttribute('aria-disabled'), 'true');
    await page.getByText('Fix:').first().waitFor();
  });

  test('Ada is asked, allows calls, and the countdown runs', async () => {
    await press(page, 'Ask for permission');
    await press(phone(), 'Allow calls');
    const timer = page.getByRole('timer', { name: 'Time left to call' });
    await timer.waitFor();
    assert.match((await timer.textContent()) ?? '', /^(24:00:00|23:59:\d\d)$/);
  });

  test('Ada answers in the browser, and sound is heard at both ends', async () => {
    await page.getByText('May call now').waitFor();
    await press(page, 'Call now');
    await phone().getByText('Incoming voice call', { exact: false }).waitFor();
    await press(phone(), 'Answer');
    await meterAbove(phone(), 'You hear', HEARD_RMS);
    await meterAbove(phone(), 'You say', HEARD_RMS);
    await until('the PBX has heard the microphone', () => pbxHears(product.simulatorUrl));
    assert.deepEqual(await axeFaults(page), []);
  });

  test('the agent holds, mutes, sends keys and transfers, and sees where it stands', async () => {
    await addEndpoint(product, 'Second desk', 'tone-880');
    const live = page.getByRole('group', { name: 'Live call' }).first();
    await press(live, 'Hold');
    await live.getByText('On hold: the customer hears music.').waitFor();
    await press(live, 'Resume');
    await press(live, 'Mute');
    await live.getByText('Muted: the customer does not hear the endpoint.').waitFor();
    await live.getByRole('button', { name: 'Unmute' }).focus();
    await page.keyboard.press('Enter');
    await live.getByRole('button', { name: 'Mute', exact: true }).waitFor();
    await press(live, 'Keys');
    await press(live.getByRole('group', { name: 'Keys to the customer' }), '5');
    await press(live, 'Transfer');
    await live.getByLabel('To endpoint').selectOption({ label: 'Second desk' });
    assert.deepEqual(await axeFaults(page), []);
    await press(live, 'Speak with them first');
    await live.getByText('You speak with Second desk', { exact: false }).waitFor();
    await press(live, 'Back to the customer');
    await press(live, 'Hand over now');
    await until('the first desk is gone', async () => {
      const calls = await pbxCalls(product.simulatorUrl);
      return calls.some(({ user, state }) => user === 'talk' && state === 'ended');
    });
    await meterAbove(phone(), 'You hear', HEARD_RMS);
  });

  test('keys of the keypad reach the PBX', async () => {
    await press(phone(), 'Keypad');
    await press(phone(), '4');
    await press(phone(), '2');
    await until('the PBX has the digits', async () => {
      return (await pbxCalls(product.simulatorUrl)).some(({ digits }) => digits === '42');
    });
  });

  test('the call is recorded by order, once the announcement was heard', async () => {
    await orderOfLatest(product, 'start_recording');
    await page.getByText('Being recorded, sealed as it is written.').first().waitFor();
    // Some sound of both sides; how much does not matter.
    await delay(systemClock, 1_500);
  });

  test('hanging up leaves a completed call with its record', async () => {
    await press(phone(), 'Hang up');
    await page.getByText('Ada Lovelace hung up.', { exact: false }).first().waitFor();
    await page.getByRole('button', { name: /Completed/ }).waitFor();
    await page.getByText('Call detail record').click();
    await page.getByText('Outcome', { exact: true }).waitFor();
    await page.getByText('This permission has served its one call.').first().waitFor();
  });

  test('the agent writes down what came of the call, and what it cost is said', async () => {
    const later = page.getByRole('region', { name: 'After the call' });
    await later.getByText('not known: the operator has given no price file').waitFor();
    await press(later, 'Resolved');
    await later.getByText('by the API', { exact: false }).waitFor();
    await later.getByLabel('Note').fill('was glad of it');
    await press(later, 'Save the note');
    await later.getByRole('button', { name: 'Resolved', pressed: true }).waitFor();
    const told = page.getByText('Outcome written down: resolved').nth(1);
    await told.waitFor({ state: 'attached' });
    assert.deepEqual(await axeFaults(page), []);
  });

  test('its card plays the recording, customer left and endpoint right', async () => {
    const player = page.getByLabel('Recording 1: customer on the left, endpoint on the right');
    await player.waitFor();
    assert.deepEqual(await axeFaults(page), []);
    const heard = await player.evaluate(async (element) => {
      const { src } = element as unknown as AudioPlayer;
      const bytes = await (await fetch(src)).arrayBuffer();
      const { AudioContext } = globalThis as unknown as InPage;
      const sound = await new AudioContext().decodeAudioData(bytes);
      const loudest = (samples: Float32Array): number =>
        samples.reduce((most, at) => Math.max(most, Math.abs(at)), 0);
      return Array.from({ length: sound.numberOfChannels }, (_, at) =>
        loudest(sound.getChannelData(at)),
      );
    });
    assert.equal(heard.length, 2);
    assert.ok(
      heard.every((level) => level > HEARD_RMS),
      String(heard),
    );
    await player.evaluate((element) => (element as unknown as AudioPlayer).play());
    await until('the player has played', () =>
      player.evaluate((element) => (element as unknown as AudioPlayer).currentTime > 0.3),
    );
  });

  test('STOP puts Ada on the do-not-call list, and the page shows it', async () => {
    await phone().getByRole('textbox', { name: 'Type a message' }).fill('STOP');
    await page.keyboard.press('Enter');
    await page.getByText('Do not call', { exact: true }).first().waitFor();
    await page.getByText('opted_out', { exact: true }).first().waitFor();
    assert.deepEqual(await axeFaults(page), []);
  });

  test('on a narrow dark screen nothing is cut off, and axe has no fault', async () => {
    await page.setViewportSize({ width: 420, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await assertNothingCutOff(page);
    assert.deepEqual(await axeFaults(page), []);
  });

  test('a refused microphone does not cost the call, and STOP while talking ends it', async () => {
    const quiet = await (await browser.newContext()).newPage();
    listen(quiet, complaints);
    await quiet.addInitScript(REFUSE_MICROPHONE);
    await addPerson(product.simulatorUrl, { number: '+447700900050', name: 'Dee Quiet' });
    await quiet.goto(`${product.url}/#key=${product.apiKey}`);
    await quiet.getByLabel('Whose phone').selectOption('+447700900050');
    const dee = quiet.getByRole('region', { name: 'Phone of Dee Quiet' });
    await press(quiet, 'Ask for permission');
    await press(dee, 'Allow calls');
    await quiet.getByText('May call now').waitFor();
    await press(quiet, 'Call now');
    await press(dee, 'Answer');
    await dee.getByText('The microphone was refused', { exact: false }).waitFor();
    await meterAbove(dee, 'You hear', HEARD_RMS);
    await press(dee, 'Show chat');
    await press(dee, 'Send STOP');
    await quiet.getByText('Askfirst ended it: opted out.', { exact: false }).first().waitFor();
    await press(quiet, 'Ask for permission');
    const refusal = quiet.getByRole('alert');
    await refusal.getByText('opted_out', { exact: true }).waitFor();
    await refusal.getByText('Fix:', { exact: false }).waitFor();
  });

  test('the rules show each sentence, and a report comes before a switch', async () => {
    const office = await open('rules');
    await office.getByText('No law is checked.', { exact: false }).waitFor();
    await office.getByText('law-fr-2023').click();
    await office.getByText('Commercial calls to consumers in France', { exact: false }).waitFor();
    await office.getByLabel('Policy pack').selectOption('meta-2026-06');
    await press(office, 'What would change?');
    await office.getByText('people looked at', { exact: false }).waitFor();
    await press(office, 'Switch to meta-2026-06');
    await office.getByText('meta-2026-06', { exact: true }).first().waitFor();
    await office.getByLabel('Calls per second').fill('50');
    await office.getByLabel('Calls at a time').fill('0');
    await press(office, 'Set the limit');
    await office.getByRole('alert').getByText('Fix:', { exact: false }).waitFor();
    await office.getByLabel('Calls at a time').fill('200');
    await press(office, 'Set the limit');
    await office.getByText('50 a second, 200 at a time; 0 now').waitFor();
    assert.deepEqual(await axeFaults(office), []);
    await press(office, 'Take away the limit of The whole account');
    await office.getByText('No limit is set.', { exact: false }).waitFor();
  });

  test('the linter looks over a template while it is written', async () => {
    const office = await open('templates');
    await office.getByText('Nothing to find fault with.').waitFor();
    await office.getByLabel('Text').fill('{{1}} buy now');
    await office.getByText('Rejected').first().waitFor();
    await office.getByLabel('Language', { exact: true }).first().selectOption('ar');
    await office.getByText('call_permission_request', { exact: true }).click();
    assert.deepEqual(await axeFaults(office), []);
  });

  test('a script begins with a sample, is told what is wrong, and is saved', async () => {
    const office = await open('scripts');
    await office.getByLabel('WAV or Ogg Opus file').setInputFiles({
      name: 'hello.wav',
      mimeType: 'audio/wav',
      buffer: wavOf({ samples: toneAt(440, 16_000, 1), rate: 16_000 }),
    });
    await office.getByLabel('Name in scripts').fill('hello');
    await press(office, 'Upload the prompt');
    await press(office, 'Listen to hello');
    await office.locator('audio[aria-label="hello"]').waitFor();
    await press(office, 'Begin with “Delivery update”');
    const script = { name: 'Hello', steps: [{ name: 'greet', do: 'play', prompt: 'helo' }] };
    await office.getByLabel('Script', { exact: true }).fill(JSON.stringify(script, null, 2));
    await office.getByText('line 5, greet prompt').waitFor();
    assert.deepEqual(await axeFaults(office), []);
    script.steps[0] = { name: 'greet', do: 'play', prompt: 'hello' };
    await office.getByLabel('Script', { exact: true }).fill(JSON.stringify(script, null, 2));
    await office.getByText('greet: played').waitFor();
    await press(office, 'Save the script');
    await office.getByText('Hello, version 1').waitFor();
    assert.deepEqual(await axeFaults(office), []);
  });

  test('an endpoint is refused with its field, added, called to try it, and removed', async () => {
    const office = await open('endpoints');
    await press(office, 'Add one');
    await office.getByLabel('Name', { exact: true }).fill('Third desk');
    await office.getByLabel('SIP address').fill('tel:+4930123');
    await press(office, 'Add the endpoint');
    await office.getByRole('alert').getByText('targets.0.uri', { exact: true }).waitFor();
    assert.deepEqual(await axeFaults(office), []);
    await office.getByLabel('SIP address').fill(await deskUri(product, 'tone-880'));
    await press(office, 'Add the endpoint');
    await press(office, 'Test call to Third desk');
    await office.getByText('and heard in PCMU', { exact: false }).waitFor();
    await press(office, 'Add a rule');
    await office.getByLabel('Rule’s name').fill('third desk by day');
    await office.getByLabel('Goes to').selectOption({ label: 'Third desk' });
    await office.getByLabel('Hours').fill('Mo-Su 00:00-24:00');
    await press(office, 'Save the rules');
    await press(office, 'Try the rules');
    await office.getByText('To Third desk, by the rule third desk by day.').waitFor();
    await press(office, 'Remove Third desk');
    await press(office, 'Yes, remove Third desk');
    await office.getByRole('alert').getByText('endpoint_in_use', { exact: true }).waitFor();
    await press(office, 'Remove rule 1');
    await press(office, 'Save the rules');
    await office.getByText('No rule: every call goes to', { exact: false }).waitFor();
    await press(office, 'Yes, remove Third desk');
    await office.getByRole('button', { name: 'Change Third desk' }).waitFor({ state: 'detached' });
    assert.deepEqual(await axeFaults(office), []);
  });

  test('how keys are exchanged with WhatsApp is set at Meta and here together', async () => {
    const office = await open('lines');
    const line = office.getByRole('listitem').filter({ hasText: 'Set at Meta and here' }).first();
    for (const way of ['sdes', 'dtls']) {
      await line.getByRole('combobox').selectOption(way);
      await line.getByRole('button', { name: 'Set at Meta and here' }).click();
      await line.getByText(`now ${way.toUpperCase()}`).waitFor();
      assert.deepEqual(await axeFaults(office), []);
    }
  });

  test('an experiment is planned with its size, started, and read in words', async () => {
    const office = await open('experiments');
    await office.getByText('No experiment yet', { exact: false }).waitFor();
    await office.getByText('You need 1636 people per arm', { exact: false }).waitFor();
    await office.getByLabel('Smallest difference').fill('10');
    await office.getByText('At 200 a day', { exact: false }).waitFor();
    await office.getByLabel('Name', { exact: true }).fill('Shorter purpose');
    await office.getByLabel('Wording of the purpose').nth(1).fill('your order');
    await press(office, 'Create as a draft');
    await press(office, 'Start: let people in');
    await office.getByText('Too early: nobody is counted yet', { exact: false }).waitFor();
    assert.deepEqual(await axeFaults(office), []);
    await press(office, 'Choose a winner');
    await office.getByLabel('The arm that everybody gets').selectOption({ label: 'Arm B' });
    await press(office, 'Give it to everybody');
    await office.getByText('Decided: everybody gets B now', { exact: false }).waitFor();
    assert.deepEqual(await axeFaults(office), []);
  });

  test('records become a file in the background, and prices are the operator’s own', async () => {
    const office = await open('records');
    await office.getByText('There is no price file', { exact: false }).waitFor();
    await press(office, 'Make the file');
    const saved = office.waitForEvent('download');
    await office.getByRole('link', { name: /^Download/ }).click();
    assert.equal((await saved).suggestedFilename(), 'cdrs.csv');
    await office.getByText('Nobody was asked yet', { exact: false }).waitFor();
    await office.getByLabel('Ask after each answered call').check();
    await press(office, 'Save');
    await office.getByText('Saved. It holds', { exact: false }).waitFor();
    await office.getByLabel('Days that recordings are kept').fill('30');
    await press(office, 'Save how recordings are announced and kept');
    await office.getByText('Saved.', { exact: true }).waitFor();
    assert.deepEqual(await axeFaults(office), []);
  });

  test('somebody is put on the do-not-call list and looked up again', async () => {
    const office = await open('do-not-call');
    await office.getByLabel('Number or user id').fill('+447700900199');
    await press(office, 'Look up');
    await office.getByText('On no list').waitFor();
    await office.getByLabel('Reason').fill('asked by letter');
    await press(office, 'Never call this person');
    await office.getByText('asked by letter').waitFor();
    await office.getByLabel('CSV file').setInputFiles({
      name: 'list.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('number\n+447700900198\nnonsense\n'),
    });
    await press(office, 'Try the file');
    await office.getByText('1 would be added', { exact: false }).waitFor();
    await office.getByRole('button', { name: 'Failed rows as CSV' }).waitFor();
    assert.deepEqual(await axeFaults(office), []);
  });

  test('the audit page gives the file of a person, and finds why a call is denied', async () => {
    const office = await open('audit');
    await office.getByText('Ada Lovelace', { exact: false }).first().waitFor();
    const saved = office.waitForEvent('download');
    await press(office, 'Evidence, to read');
    assert.equal((await saved).suggestedFilename(), 'evidence.html');
    await press(office, 'Link to stop calls');
    await office.getByRole('link', { name: /\/o\// }).waitFor();
    await press(office, 'Find the cause');
    await office.getByText('Cause', { exact: true }).first().waitFor();
    assert.deepEqual(await axeFaults(office), []);
  });

  /** Another tab on one of the pages. */
  async function open(name: string): Promise<Page> {
    const tab = await (await browser.newContext()).newPage();
    listen(tab, complaints);
    await tab.goto(`${product.url}/#key=${product.apiKey}`);
    await tab.getByText('Live: changes show at once.').waitFor();
    await tab.goto(`${product.url}/#${name}`);
    return tab;
  }

  test('a wrong key is named as such, and another one can be given', async () => {
    const stranger = await (await browser.newContext()).newPage();
    listen(stranger, complaints);
    await stranger.goto(product.url);
    await stranger.getByRole('textbox', { name: 'API key' }).fill('af_test_wrong');
    await press(stranger, 'Open');
    await press(stranger, 'Use another key');
    assert.deepEqual(await axeFaults(stranger), []);
    await stranger.getByRole('textbox', { name: 'API key' }).fill(product.apiKey);
    await press(stranger, 'Open');
    await stranger.getByRole('heading', { name: 'Ada Lovelace' }).waitFor();
  });

  test('the browser had nothing to complain about, neither policy nor script', () => {
    assert.deepEqual(complaints, []);
  });
});

const REFUSE_MICROPHONE = `
  navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('refused', 'NotAllowedError'));
`;

function listen(page: Page, complaints: string[]): void {
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  page.on('console', (message) => {
    // The browser notes every 4xx; a refusal is an answer that the page shows, not a fault.
    const refused = /^Failed to load resource: .* status of 4\d\d /.test(message.text());
    if (message.type() === 'error' && !refused) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
}

async function addPerson(
  simulatorUrl: string,
  person: { number: string; name: string },
): Promise<void> {
  const answer = await fetch(`${simulatorUrl}/simulator/people`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(person),
  });
  assert.equal(answer.status, 201);
}

/** The address of a desk of the demo PBX, where the first one is. */
async function deskUri(product: WholeProduct, user: string): Promise<string> {
  const headers = { authorization: `Bearer ${product.apiKey}` };
  const known = await fetch(`${product.url}/v1/endpoints`, { headers });
  const { items } = (await known.json()) as { items: Array<{ uri: string }> };
  return (items[0]?.uri ?? '').replace(/^sip:[^@]*/, `sip:${user}`);
}

/** Another desk of the demo PBX. */
async function addEndpoint(product: WholeProduct, name: string, user: string): Promise<void> {
  const headers = {
    authorization: `Bearer ${product.apiKey}`,
    'content-type': 'application/json',
  };
  const uri = await deskUri(product, user);
  const answer = await fetch(`${product.url}/v1/endpoints`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name, uri }),
  });
  assert.equal(answer.status, 201);
}

/** An order of the business to the newest call. */
async function orderOfLatest(product: WholeProduct, action: string): Promise<void> {
  const headers = {
    authorization: `Bearer ${product.apiKey}`,
    'content-type': 'application/json',
    'idempotency-key': action,
  };
  const calls = await fetch(`${product.url}/v1/calls?limit=1`, { headers });
  const { items } = (await calls.json()) as { items: Array<{ id: string }> };
  const answer = await fetch(`${product.url}/v1/calls/${items[0]?.id}/actions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ action }),
  });
  assert.equal(answer.status, 202, await answer.text());
}

async function meterAbove(phone: Locator, label: string, rms: number): Promise<void> {
  const meter = phone.getByRole('meter', { name: `Level: ${label}` });
  await until(`"${label}" shows sound`, async () => {
    return Number(await meter.getAttribute('data-rms-peak')) > rms;
  });
}

type PbxCall = { packetsIn: number; digits: string; user: string; state: string };

async function pbxCalls(simulatorUrl: string): Promise<PbxCall[]> {
  const answer = await fetch(`${simulatorUrl}/simulator/pbx`);
  return ((await answer.json()) as { calls: PbxCall[] }).calls;
}

async function pbxHears(simulatorUrl: string): Promise<boolean> {
  const [call] = await pbxCalls(simulatorUrl);
  return call !== undefined && call.packetsIn > 50;
}

/** Looks again every 100 ms, because what is awaited lives in another process. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + STEP_TIMEOUT_MS;
  while (!(await holds())) {
    if (systemClock.monotonic() > end) throw new Error(`never came: ${what}`);
    await delay(systemClock, 100);
  }
}
