import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';

import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

import { buildPage } from './built-page.ts';
import { assertNothingCutOff, axeFaults } from './page-look.ts';
import { needsProgram, programPath } from './peers.ts';
import { must, PURPOSE, openLiveProduct, type LiveProduct } from './product-peers.ts';

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
    page.setDefaultTimeout(20_000);
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
});
