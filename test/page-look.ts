import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/** What axe finds wrong with a page, with the elements it means. */
export async function axeFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** How much wider a page is than its screen. As text: there are no types of the browser here. */
export function excessOf(page: Page): Promise<number> {
  return page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
}

/** Nobody has to scroll sideways. */
export async function assertNothingCutOff(page: Page): Promise<void> {
  const excess = await excessOf(page);
  assert.ok(excess <= 0, `the page is ${excess} px wider than the screen`);
}
