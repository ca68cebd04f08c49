import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';

import { chromium, type Browser, type Page } from 'playwright-core';

import { buildPage } from './built-page.ts';
import { assertNothingCutOff, axeFaults } from './page-look.ts';
import { needsProgram, programPath } from './peers.ts';
import { eventually, openLiveProduct, type LiveProduct } from './product-peers.ts';

/** Campaigns in a real Chromium: from an empty list by a preview to a campaign that is stopped. */
const PICTURES = process.env['ASKFIRST_PICTURES'];
const NUMBERS = ['101', '102', '103'].map((last3) => `+447700900${last3}`);

suite('campaigns in a browser', { skip: needsProgram('chromium', 'chromium') }, () => {
  let live: LiveProduct;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46900-46999' });
    const { server, sandbox } = live.product;
    const sent = await fetch(`${server.url}/v1/contact-imports?tag=spring`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sandbox?.apiKey}`, 'content-type': 'text/csv' },
      body: ['phone,name,order', ...NUMBERS.map((number) => `${number},Ada,1042`)].join('\n'),
    });
    const { id } = (await sent.json()) as { id: string };
    await eventually('the import', async () => {
      const { state } = await live.api.get<{ state: string }>(`/v1/contact-imports/${id}`);
      return state === 'done';
    });
    browser = await chromium.launch({
      executablePath: programPath('chromium') ?? '',
      args: ['--headless', '--no-sandbox', '--disable-gpu'],
    });
    const viewport = { width: 1400, height: 900 };
    page = await (await browser.newContext({ viewport })).newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.setDefaultTimeout(20_000);
    await page.goto(`${server.url}/#key=${sandbox?.apiKey}`);
    await page.getByText('Live: changes show at once.').waitFor();
    await page.goto(`${server.url}/#campaigns`);
  });
  after(async () => {
    await browser?.close();
    await live?.close();
  });

  const press = (name: string | RegExp): Promise<void> =>
    page.getByRole('button', { name, exact: true }).first().click();
  const picture = async (name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    await page.screenshot({ path: join(PICTURES, `campaigns-${name}.png`), fullPage: true });
  };
  const assertSound = async (name: string): Promise<void> => {
    for (const [width, colorScheme] of [
      [1400, 'light'],
      [400, 'dark'],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await picture(`${name}-${width}-${colorScheme}`);
      assert.deepEqual(await axeFaults(page), [], `${name} ${width} ${colorScheme}`);
      await assertNothingCutOff(page);
    }
    await page.setViewportSize({ width: 1400, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
  };

  test('an empty list says so, and a draft is made for the people of a file', async () => {
    await page.getByText('No campaign yet.', { exact: false }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Late deliveries');
    await page.getByLabel('File').selectOption({ label: 'spring, 3 rows' });
    await page.locator('summary').filter({ hasText: 'Only some of them' }).click();
    await page.getByLabel('Their permission on the line').selectOption('none');
    await page.getByLabel('Template that asks').fill('delivery_callback_request');
    await page.getByLabel('Purpose, as people read it').fill('your delivery {{order}} is late');
    await page
      .getByLabel('Variables of the template', { exact: false })
      .fill('{{contactName}}\n{{order}}');
    await page.getByLabel('“order” is').selectOption('column');
    await page.locator('summary').filter({ hasText: 'How long to wait' }).click();
    await page.getByLabel('Wait for an answer').fill('2h');
    await page.locator('summary').filter({ hasText: 'Limits of its calls' }).click();
    await page.getByLabel('Calls at a time').fill('4');
    await assertSound('new');
    await press('Make the draft');
    await page.getByText('Look at what would come of it first; then start.').waitFor();
  });

  test('the picture comes before the start button', async () => {
    const start = page.getByRole('button', { name: 'Start', exact: true });
    assert.equal(await start.getAttribute('aria-disabled'), 'true');
    await press('Look at what would come of it');
    await page.getByText('What to expect').waitFor();
    await page.getByText('Need a request, which may be sent now').waitFor();
    await assertSound('preview');
    await start.click();
    await page.getByText('running', { exact: true }).first().waitFor();
  });

  test('it runs, is paused and goes on, and leads to people and their steps', async () => {
    await page.getByText('Declined').first().waitFor();
    await press('Pause');
    await page.getByText('Nothing of it is asked or dialled.', { exact: false }).waitFor();
    await press(/^1 person.*Declined/);
    await page.getByText('People: Declined').waitFor();
    await page.locator('summary').filter({ hasText: 'Declined' }).first().click();
    await page.getByText('ask', { exact: true }).waitFor();
    await assertSound('paused');
    await press('Change pace and hours');
    await page.locator('summary').filter({ hasText: 'Limits of its calls' }).last().click();
    const atATime = page.getByLabel('Calls at a time').last();
    assert.equal(await atATime.inputValue(), '4', 'as the draft said');
    await atATime.fill('');
    await assertSound('pace');
    await press('Save the pace');
    await page.getByRole('button', { name: 'Change pace and hours', exact: true }).waitFor();
    await press('Go on');
    await page.getByText('running', { exact: true }).first().waitFor();
    await press('Stop…');
    await press(/^Stop for good/);
    await page.getByText('stopped', { exact: true }).first().waitFor();
    await assertSound('stopped');
    assert.deepEqual(complaints, []);
  });
});
