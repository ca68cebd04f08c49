import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';

import { chromium, type Browser, type Page } from 'playwright-core';

import { isoTime, systemClock } from '../src/platform/clock.ts';
import { buildPage } from './built-page.ts';
import { assertNothingCutOff, axeFaults } from './page-look.ts';
import { needsProgram, programPath } from './peers.ts';
import {
  must,
  newCustomerWithYes,
  openLiveProduct,
  PURPOSE,
  type LiveProduct,
} from './product-peers.ts';

/** The schedule in a real Chromium: what waits is seen, moved, refused in words, and cancelled. */
const MINUTE = 60_000;
const inMinutes = (minutes: number): string => isoTime(systemClock.now() + minutes * MINUTE);

suite('the schedule in a browser', { skip: needsProgram('chromium', 'chromium') }, () => {
  let live: LiveProduct;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46800-46899' });
    browser = await chromium.launch({
      executablePath: programPath('chromium') ?? '',
      args: ['--headless', '--no-sandbox', '--disable-gpu'],
    });
    page = await (await browser.newContext()).newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.setDefaultTimeout(15_000);
    const { server, sandbox } = live.product;
    await page.goto(`${server.url}/#key=${sandbox?.apiKey}`);
    await page.getByText('Live: changes show at once.').waitFor();
    await page.goto(`${server.url}/#schedule`);
  });
  after(async () => {
    await browser?.close();
    await live?.close();
  });

  const press = (name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).first().click();
  const newPerson = (number: string): Promise<void> =>
    newCustomerWithYes(live.api, live.product.sandbox?.url ?? '', number, '+447700900101');
  test('an empty schedule says so, and a call shows up by itself', async () => {
    await page.getByLabel('Days').selectOption('all');
    await page.getByText('No call waits in this time.', { exact: false }).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await newPerson('+447700900301');
    const wish = { to: '+447700900301', purpose: PURPOSE, scheduledAt: inMinutes(20) };
    await must(live.api, '/v1/calls', wish);
    await page.getByText('· 1 call').waitFor();
  });

  test('a time that is refused is explained, with times that are allowed', async () => {
    await page.locator('summary').first().click();
    await press('Move');
    await page.getByText('Next allowed minutes').waitFor();
    await page.getByLabel('New time').fill(inMinutes(3 * 24 * 60).slice(0, 16));
    await press('Move the call');
    await page.getByText('Refused, so the call keeps its time, because:').waitFor();
    await page.getByText('permission_expired').waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await page.getByText('Nearest allowed times').locator('..').getByRole('button').click();
    await page.getByText('Moved.').waitFor();
  });

  test('the times of a person are shown, and a call is given the best one', async () => {
    await newPerson('+447700900302');
    await page.getByLabel('Number or user id').fill('+447700900302');
    await page.getByLabel('Purpose').fill(PURPOSE);
    await press('Show the times');
    await page.getByText('The best minute is').waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await press('Call at the best minute');
    await page.getByText('The call waits for').waitFor();
    await page.getByLabel('Number or user id').fill('+447700900999');
    await press('Show the times');
    await page.getByText('permission_missing').waitFor();
  });

  test('a customer takes the permission back on a small screen, by the keyboard', async () => {
    const number = '+447700900303';
    await newPerson(number);
    const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
    const [contact] = (await live.api.get<{ items: Array<{ id: string }> }>(path)).items;
    const made = `/v1/contacts/${contact?.id}/self-service-link`;
    const { url } = await must<{ url: string }>(live.api, made, {});
    const phone = { width: 400, height: 800 };
    const context = await browser.newContext({ viewport: phone });
    const theirs = await context.newPage();
    theirs.setDefaultTimeout(15_000);
    await theirs.goto(url);
    await theirs.getByText('We may call you once.').waitFor();
    await theirs.getByText(PURPOSE, { exact: true }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await theirs.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      assert.deepEqual(await axeFaults(theirs), []);
    }
    await assertNothingCutOff(theirs);
    // The Tab key comes to the smaller step first.
    await theirs.keyboard.press('Tab');
    await theirs.keyboard.press('Enter');
    await theirs.getByText('We may not call you now.').waitFor();
    await theirs.getByRole('button', { name: 'Stop all calls' }).waitFor();
    await context.close();
  });

  test('a question is planned for later and stands there', async () => {
    await page.locator('summary').filter({ hasText: 'Plan a question' }).click();
    await page.getByLabel('Whom to ask').fill('+447700900304');
    await page.getByLabel('How to address them').fill('Ada');
    await page.getByLabel('What the call will be about').fill('your order 77');
    await page.getByLabel('When to ask').fill(inMinutes(3 * 24 * 60).slice(0, 16));
    await press('Plan it');
    await page.locator('summary').filter({ hasText: 'your order 77' }).click();
    await page.getByText('The gate judges it once more before it goes out.').waitFor();
    assert.deepEqual(await axeFaults(page), []);
  });

  test('on a narrow dark screen nothing is cut off, and what waits is cancelled', async () => {
    await page.setViewportSize({ width: 400, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    assert.deepEqual(await axeFaults(page), []);
    await assertNothingCutOff(page);
    await press('Cancel the call');
    await page.getByText('No call waits in this time.', { exact: false }).waitFor();
    await press('Cancel the question');
    await page.getByText('A question may be planned here', { exact: false }).waitFor();
    assert.deepEqual(complaints, []);
  });
});
