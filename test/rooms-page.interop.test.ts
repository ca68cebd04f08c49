import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';

import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

import type { LineView } from '../src/http/api-types.ts';
import { buildPage } from './built-page.ts';
import { assertNothingCutOff, axeFaults } from './page-look.ts';
import { needsProgram, programPath } from './peers.ts';
import {
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  PURPOSE,
  type LiveProduct,
} from './product-peers.ts';

/** The rooms of the dashboard in which an operator sets things up, in a real Chromium. */
const PICTURES = process.env['ASKFIRST_PICTURES'];

suite('rooms to set things up in a browser', { skip: needsProgram('chromium', 'chromium') }, () => {
  let live: LiveProduct;
  let browser: Browser;
  let page: Page;
  let receiver: Server;
  let receiverAnswers = 204;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    receiver = createServer((request, response) => {
      request.resume();
      response.writeHead(receiverAnswers).end();
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '47300-47399' });
    browser = await chromium.launch({
      executablePath: programPath('chromium') ?? '',
      args: ['--headless', '--no-sandbox', '--disable-gpu'],
    });
    page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    // Long, for nothing here is about speed: a busy machine takes its time.
    page.setDefaultTimeout(60_000);
    const { server, sandbox } = live.product;
    await page.goto(`${server.url}/#key=${sandbox?.apiKey}`);
    await page.getByText('Live: changes show at once.').waitFor();
  });
  after(async () => {
    await browser?.close();
    await live?.close();
    receiver?.close();
  });

  const go = async (room: string): Promise<void> => {
    await page.goto(`${live.product.server.url}/#${room}`);
  };
  const region = (name: string | RegExp): Locator => page.getByRole('region', { name });
  const press = (name: string | RegExp, within: Page | Locator = page): Promise<void> =>
    within.getByRole('button', { name }).first().click();
  const assertSound = async (name: string): Promise<void> => {
    for (const [width, colorScheme] of [
      [1400, 'light'],
      [400, 'dark'],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      if (PICTURES !== undefined) {
        const path = join(PICTURES, `${name}-${width}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
      }
      assert.deepEqual(await axeFaults(page), [], `${name} ${width} ${colorScheme}`);
      await assertNothingCutOff(page);
    }
    await page.setViewportSize({ width: 1400, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
  };

  test('a webhook endpoint is refused with its field, then made with its secret', async () => {
    await go('webhooks');
    await page.getByText('your own programs are told nothing', { exact: false }).waitFor();
    const card = region('New webhook endpoint');
    await card.getByLabel('Address').fill('ftp://127.0.0.1/hook');
    await press('Add the endpoint', card);
    await card.getByText('url', { exact: true }).waitFor();
    await assertSound('webhooks-empty');
    const { port } = receiver.address() as AddressInfo;
    await card.getByLabel('Address').fill(`http://127.0.0.1:${port}/hook`);
    await card.getByLabel('Events', { exact: true }).selectOption('some');
    await card.locator('summary', { hasText: 'call_button' }).click();
    await card.getByLabel('All of call_button').check();
    await card.locator('summary', { hasText: 'call_button 3 of 3' }).click();
    await press('Add the endpoint', card);
    await card.getByText(/^whsec_/).waitFor();
    await page.getByText('Nothing went there yet.', { exact: false }).waitFor();
    await assertSound('webhooks-secret');
    await press('Close', card);
    assert.equal(await page.getByText(/^whsec_/).count(), 0);
  });

  test('a test is sent, and what was not taken is sent again by hand', async () => {
    const list = region('Webhook endpoints');
    receiverAnswers = 500;
    await press('Send a test', list);
    await list.getByText('Answered 500', { exact: false }).waitFor();
    const deliveries = region('Deliveries');
    await must(live.api, '/v1/permission-requests', { to: '+447700900101', purpose: PURPOSE });
    await deliveries.getByText('permission.requested').waitFor();
    await deliveries.getByText('answered 500', { exact: false }).waitFor();
    await assertSound('webhooks-failed');
    receiverAnswers = 204;
    await press('Send again', deliveries);
    await deliveries.getByText('Taken', { exact: true }).last().waitFor();
    await deliveries.getByLabel('Show').selectOption('failed');
    await deliveries.getByText('No delivery stands so.').waitFor();
    await deliveries.getByLabel('Show').selectOption('');
  });

  test('an endpoint is switched off, misses an event, recovers it, and is removed', async () => {
    const list = region('Webhook endpoints');
    const deliveries = region('Deliveries');
    await press('Switch off', list);
    await list.getByText('Switched off by its owner.', { exact: false }).waitFor();
    await must(live.api, '/v1/permission-requests', { to: '+447700900102', purpose: PURPOSE });
    await assertSound('webhooks-off');
    await press('Switch on', list);
    await list.getByText('On', { exact: true }).waitFor();
    await deliveries.getByLabel('Send again what was not taken since').fill('2026-01-01T00:00');
    await press('Send it again', deliveries);
    await deliveries.getByText('1 on the way.').waitFor();
    await press('Change', list);
    await list.getByLabel('Events', { exact: true }).selectOption('all');
    await press('Save the changes', list);
    await list.getByText('All events', { exact: false }).waitFor();
    await press('New secret', list);
    await press('Make a new secret', list);
    await list.getByText(/^whsec_/).waitFor();
    await list.getByText('the one before signs as well', { exact: false }).waitFor();
    await press('Remove', list);
    await press('Yes, remove it', list);
    await page.getByText('your own programs are told nothing', { exact: false }).waitFor();
    assert.deepEqual(complaints, []);
  });

  test('a line shows what it lacks, and its call settings are changed at Meta', async () => {
    await go('lines');
    const list = region(/^Going live/);
    await list.getByText('Speaks to the simulator').waitFor();
    await list.getByText('Built-in templates in').waitFor();
    const calling = region('Calling at Meta');
    await calling.getByText('On', { exact: true }).waitFor();
    await assertSound('lines');
    await calling.getByLabel('Customers may call only at certain times').check();
    await calling.getByLabel('When customers may call').fill('whenever');
    await calling.getByText('These times cannot be read.', { exact: false }).waitFor();
    const times = 'Mo-Fr 09:00-12:00, Mo-Fr 13:00-17:00, Mo 18:00-19:00';
    await calling.getByLabel('When customers may call').fill(times);
    await calling.getByLabel('Time zone').fill('Europe/London');
    await press('Set at Meta', calling);
    await calling.getByText('at most 2 spans a day', { exact: false }).waitFor();
    await calling.getByLabel('When customers may call').fill(times.slice(0, 36));
    await press('Set at Meta', calling);
    await calling.getByText('at most 2 spans', { exact: false }).waitFor({ state: 'hidden' });
    const [line] = (await live.api.get<{ items: LineView[] }>('/v1/lines')).items;
    const { hours } = await live.api.get<{ hours: { open: object[] } }>(
      `/v1/lines/${line?.id}/calling`,
    );
    assert.equal(hours.open.length, 2);
    await press('Switch calling off', calling);
    await calling.getByText('Off', { exact: true }).waitFor();
    await press('Look again', list);
    await list.getByText('calling_enabled').waitFor();
    await press('Switch calling on', calling);
    await calling.getByText('On', { exact: true }).waitFor();
    await press('Hand the missing ones to Meta', list);
    await list.getByText('call_permission_request', { exact: false }).first().waitFor();
  });

  test('before a switch both packs are compared, and the people looked at', async () => {
    await go('rules');
    const card = region('Askfirst Demo Clinic');
    const packs = card.getByLabel('Policy pack');
    await packs.locator('option').nth(1).waitFor({ state: 'attached' });
    const names = (await packs.locator('option').allTextContents()).map((text) =>
      text.slice(0, text.indexOf(':')),
    );
    const other = names.find((name) => name !== 'strict-2026-01') ?? '';
    await packs.selectOption(other);
    await card.getByText(/^What differs \(\d+ value/).waitFor();
    await press('What would change?', card);
    await card.getByText('people looked at:', { exact: false }).waitFor();
    await assertSound('rules-diff');
    await press(`Switch to ${other}`, card);
    await card.getByText(other, { exact: true }).first().waitFor();
    await packs.selectOption('strict-2026-01');
    await press('What would change?', card);
    await press('Switch to strict-2026-01', card);
    await card.getByText('Both say the same.').waitFor({ state: 'hidden' });
    await card.locator('summary', { hasText: 'Own limits of this line' }).click();
    await card.getByLabel('Calls to one person').fill('now and then');
    await card.getByText('This cannot be read.', { exact: false }).waitFor();
    await card.getByLabel('Calls to one person').fill('3 in 100 d');
    await press('Save the limits', card);
    await card
      .getByText(/^callCaps/)
      .first()
      .waitFor();
    await card.getByLabel('Calls to one person').fill('3 in 7 d');
    await press('Save the limits', card);
    await card.getByText('Kept; it holds', { exact: false }).waitFor();
    await assertSound('rules-limits');
    await card.getByLabel('Calls to one person').fill('');
    await press('Save the limits', card);
    assert.deepEqual(complaints, []);
  });

  test('a template is written, shows what sends it, and its change is looked over', async () => {
    await go('templates');
    const form = region('Write a template');
    await form.getByLabel('Name', { exact: true }).fill('order_talk');
    await form.getByLabel('The customer answers').selectOption('replies');
    await form.getByLabel('Button 2', { exact: true }).fill('Not now');
    await assertSound('templates-write');
    await press('Keep as a draft', form);
    const list = region('Templates');
    const summary = list.locator('summary', { hasText: 'order_talk' });
    await summary.click();
    await list.getByText('No journey, campaign or experiment sends it.').waitFor();
    await press('Change order_talk', list);
    const change = region('Change order_talk');
    const text = change.getByLabel('Text', { exact: true });
    await text.fill('{{1}} may we call?');
    await change.getByText('Rejected', { exact: true }).first().waitFor();
    await press('Close', change);
    await region('Write a template').waitFor();
    assert.deepEqual(complaints, []);
  });

  test('where calls may go is refused by field, saved, and opened again', async () => {
    await go('endpoints');
    const guard = region('Where calls may go');
    await guard.getByLabel('Only to the hosts of a list').check();
    await guard.getByText('An empty list lets no call go anywhere.').waitFor();
    await guard.getByLabel('Hosts, one a line').fill('127.0.0.1\nno host!');
    await press('Save where calls may go', guard);
    await guard.getByText('allowedHosts', { exact: false }).first().waitFor();
    await assertSound('guard');
    await guard.getByLabel('Hosts, one a line').fill('127.0.0.1\n*.example.com');
    await guard.getByLabel('Minutes a day of one key').fill('600');
    await press('Save where calls may go', guard);
    await eventually('the guard', async () => {
      const now = await live.api.get<{ allowedHosts: string[] | null; keyMinutesPerDay: number }>(
        '/v1/voip-guard',
      );
      return now.allowedHosts?.length === 2 && now.keyMinutesPerDay === 600;
    });
    await guard.getByLabel('Only to the hosts of a list').uncheck();
    await press('Save where calls may go', guard);
    await guard.getByRole('alert').waitFor({ state: 'hidden' });
  });

  test('a permission is taken back, and a button to call is sent instead', async () => {
    const number = '+447700900381';
    await newCustomerWithYes(live.api, live.product.sandbox?.url ?? '', number, PERSON);
    await go('calls');
    await page.getByLabel('Contact', { exact: true }).selectOption(number);
    await press('Take this permission back');
    await page.getByLabel('Why it is taken back').fill('asked by letter');
    await assertSound('take-back');
    await press('Take it back');
    await page.getByRole('button', { name: 'Take this permission back' }).waitFor({
      state: 'hidden',
    });
    await page.locator('summary', { hasText: 'Or let the customer call you' }).click();
    await page.getByLabel('Their name').fill('Ada');
    await press('Send the button');
    await page.getByText(/^The message: /).waitFor();
    await assertSound('call-button');
  });

  test('costs are estimated, figures counted anew, and a call flow is taken over', async () => {
    await go('records');
    await press('Estimate');
    await page.getByText('not known', { exact: true }).waitFor();
    await page.getByLabel('Country', { exact: true }).fill('Germany');
    await press('Estimate');
    await page.getByText('country', { exact: true }).waitFor();
    await assertSound('costs');
    await go('figures');
    await press('Count all figures anew');
    await page.getByText(/^Done /).waitFor();
    await go('scripts');
    await page.locator('summary', { hasText: 'Take over a call flow of 8x8' }).click();
    await page.getByLabel('Name of the script').fill('Moved');
    await page.getByLabel('Call flow, as JSON').fill('{"callflow":');
    await page.getByText('This is no JSON.', { exact: false }).waitFor();
    await page.getByLabel('Call flow, as JSON').fill('{"callflow":[{"action":"hangup"}]}');
    await press('Open it in the editor');
    await region('Moved').waitFor();
    await assertSound('script-import');
    assert.deepEqual(complaints, []);
  });

  test('another line is refused by field and added, and its own settings are kept', async () => {
    await go('lines');
    await press('Add one', region('Lines'));
    const form = region('New line');
    for (const [label, text] of [
      ['Name', 'Night line'],
      ['Number', '020 7946'],
      ['Phone number id', '300000000000077'],
      ['WhatsApp Business account id', '300000000000078'],
      ['Address of the Graph API', live.product.sandbox?.url ?? ''],
      ['Access token', 'a-token-for-tests'],
      ['App secret', 'a-secret-for-tests'],
      ['Verify token', 'a-verify-token'],
    ] as const) {
      await form.getByLabel(label, { exact: true }).fill(text);
    }
    await press('Add the line', form);
    await form.getByText('displayNumber', { exact: true }).waitFor();
    await assertSound('lines-new');
    await form.getByLabel('Number', { exact: true }).fill('+442079460077');
    await press('Add the line', form);
    const settings = region('Settings of Night line');
    await settings.getByLabel('Key that stops all calls').selectOption('9');
    await press('Save the settings', settings);
    await eventually('the key of the line', async () => {
      const { items } = await live.api.get<{ items: LineView[] }>('/v1/lines');
      return items.some(({ name, optOutKey }) => name === 'Night line' && optOutKey === '9');
    });
    assert.deepEqual(complaints, []);
  });
});

/** Says yes by herself. */
const PERSON = '+447700900101';
